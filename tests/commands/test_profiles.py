"""A profile sets many settings at once; what is given beside it goes before it."""

import pytest
from built_settings import MULTI, SINGLE, build, build_config, error_of

from turnwise.records.settings import JudgeSettings, RunSettings, Sampling
from turnwise.tasks.plan import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_sets_what_it_names(profile: str) -> None:
    """As an option and as a key of the metadata; the settings record its name."""
    assert build_config(profile=profile) == build_config(metadata={"profile": profile}) == PROFILES[profile]
    assert build(profile=profile).profile == profile


def test_what_is_given_goes_before_the_profile() -> None:
    """Metadata, sampling and named options replace their own fields and leave the rest of the profile."""
    config = build_config(
        profile="rlef",
        metadata={"samples_per_problem": 33, "extraction": "longest"},
        gen_kwargs="temperature=1.0",
        given={"matcher": "exact", "seed": 3, "system_instruction": "Be brief."},
    )
    assert config.judge == JudgeSettings(matcher="exact", interpreter="python3.10", answers="equality", tests="all")
    assert config.settings == RunSettings(
        profile="rlef",
        seed=3,
        system_instruction="Be brief.",
        extraction="longest",
        samples_per_problem=33,
        n_at_k=("1@3", "10@100"),
        sampling=Sampling(temperature=1.0, top_p=0.95),
    )


def test_the_order_of_options_does_not_matter() -> None:
    """A profile named in the metadata is replaced by what stands beside it, too."""
    beside = build(metadata={"samples_per_problem": 99, "profile": "rlef"})
    assert beside == build(profile="rlef", metadata={"samples_per_problem": 99})
    assert beside.samples_per_problem == 99


def test_null_leaves_a_setting_as_it_is() -> None:
    """As lm-eval's configurations write it."""
    assert build(profile="zheng", metadata={"max_turns": None, "n_at_k": None}) == PROFILES["zheng"].settings


def test_a_profiles_metrics_apply_where_they_can() -> None:
    """Single-turn tasks cannot have all of them, and fewer samples support fewer; what is typed is never dropped."""
    assert build(profile="zheng", tasks=SINGLE).n_at_k == ("1@3", "10@30", "33@100")
    assert build(profile="zheng", metadata={"samples_per_problem": 10}, tasks=MULTI).n_at_k == ("1@3", "10@30")
    assert "n_at_k 100@300" in error_of(lambda: build(profile="zheng", metadata={"n_at_k": ["100@300"]}, tasks=SINGLE))


def test_two_profiles_are_one_too_many() -> None:
    """Neither goes silently before the other."""
    message = error_of(lambda: build(profile="rlef", metadata={"profile": "zheng"}))
    assert message == "--profile is 'rlef' but --metadata says 'zheng': give one of them."
