"""Checkers for problems with several right answers, validators of inputs, and what is known of each problem's kind."""
