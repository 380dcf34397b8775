"""Thinking is left out by the marks that models put around it."""

import pytest

from turnwise.records.thinking import strip_thinking


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("<Thought>\n", "\n</Thought>"),
        ("<reasoning>", "</reasoning>"),
        ("<scratchpad>", "</scratchpad>"),
        ("<analysis>", "</analysis>"),
        ("<reflection>", "</reflection>"),
        ("<inner_monologue>", "</inner_monologue>"),
        ("<seed:think>", "</seed:think>"),
        ("<antThinking>", "</antThinking>"),
        ("<chain_of_thought>", "</chain_of_thought>"),
        ("<thinking_process>", "</thinking_process>"),
        ("<cot>", "</cot>"),
        ("<self_reflection>", "</self_reflection>"),
        ("<|think_start|>", "<|think_end|>"),
        ("<think_start>", "<think_end>"),
        ("<|thought_begin|>", "<|thought_end|>"),
        ('<think effort="high">', "</think>"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("Here is my thought process:\n", "\nHere is my response:"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|channel|>final "),
        (
            "<|start|>assistant<|channel|>commentary to=x <|constrain|>json<|message|>",
            "<|call|><|channel|>final<|message|>",
        ),
        ("analysisWe need it. ", "assistantfinal"),
    ],
)
def test_every_family_of_marks_is_known(begin: str, end: str) -> None:
    """From the opening to the closing mark."""
    assert strip_thinking(f"{begin}a draft{end}answer").strip() == "answer"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("plain", "plain"),
        ("a</think>b</think>c", "c"),
        ("a[/THINK]b", "b"),
        ("<think>a<think>b</think>c", "c"),
        ("<think>a <reasoning> b</think>c", "c"),
        ("<thinking>a <reflection>b</reflection> c</thinking>d", "d"),
        ("<thinking>a</think>b", "b"),
        ("before <think>a</think> after", "before  after"),
        ("Say <think> here", "Say <think> here"),
        ("<think>\ncut off", ""),
        ("  <think>cut off", "  "),
        ("[THINK]cut off", ""),
        ("[Analysis]\nIt adds.", "[Analysis]\nIt adds."),
        ("done\n<think>cut off", "done\n"),
        ("<think>\nlong\n<answer>\nx\n</answer>", "<answer>\nx\n</answer>"),
        ("<think>\n<answer>draft</answer>\n<answer>x</answer>", "<answer>x</answer>"),
        ("<|channel|>analysis<|message|>cut off", ""),
        ("<|channel|>final<|message|>x<|return|>", "x"),
        ("x = '</think>'", "x = '</think>'"),
        ("re.sub(r'<think>.*</think>', '', s)", "re.sub(r'<think>.*</think>', '', s)"),
        ('print("<think>")\nprint("</think>")', 'print("<think>")\nprint("</think>")'),
        ("It ends with `</think>` then.", "It ends with `</think>` then."),
        ("# cut after </think>\nx = 1", "# cut after </think>\nx = 1"),
        ("<think>\n# Plan </think>x", "x"),
        ('```\n"""\n<think>a</think>\n"""\n```', '```\n"""\n<think>a</think>\n"""\n```'),
        ("s.split('<|channel|>final<|message|>')[-1]", "s.split('<|channel|>final<|message|>')[-1]"),
        ("Don't</think>do", "do"),
        ("analysis of it: assistantfinal", "analysis of it: assistantfinal"),
    ],
)
def test_marks_count_where_they_mark_something(text: str, answer: str) -> None:
    """Not in quotes; a thought that never ends hides what follows, but for an answer's own mark."""
    assert strip_thinking(text) == answer
