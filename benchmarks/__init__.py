"""What is asked, and when an answer is right: problems, tests, limits, verdicts, matching, loaders."""
