import pytest

from impasto.types import Budget, Progress


@pytest.mark.parametrize(
    ("budget", "images"),
    [
        (Budget(3, "steps"), 30),
        (Budget(2, "epochs"), 50),
        (Budget(0.5, "epochs"), 20),  # 12.5 images are two steps of ten
        (Budget(7, "images"), 7),
    ],
)
def test_what_a_person_types_becomes_images(budget, images):
    assert budget.resolve(batch=10, epoch=25) == Budget(images, "images")


def test_minutes_stay_minutes():
    assert Budget(2.5, "minutes").resolve(batch=10, epoch=25) == Budget(2.5, "minutes")


def test_fraction_is_of_images_or_of_time_and_never_above_one():
    assert Progress(30, Budget(120, "images"), 10, seconds=1e6).fraction == 0.25
    assert Progress(10**9, Budget(2, "minutes"), 10, seconds=30).fraction == 0.25
    assert Progress(500, Budget(120, "images"), 10).fraction == 1


def test_budgets_are_written_out_in_full():
    assert str(Budget(1_234_567, "images")) == "1,234,567 images"
    assert str(Budget(2.5, "minutes")) == "2.5 minutes"
    assert str(Budget(3.0035, "minutes")) == "3 minutes"
    assert str(Budget(0.02, "minutes")) == "0.02 minutes"
