from __future__ import annotations

import pytest
import torch

from rsclass.deep.rates import optimizer_of, set_rate, share_of_rate
from rsclass.deep.recipe import Recipe


def rates(scheduler, optimizer, steps):
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("schedule", ["cosine", "linear", "one-cycle"])
def test_schedules_are_those_of_torch(schedule):
    steps = 101
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    kinds = torch.optim.lr_scheduler
    scheduler = {
        "cosine": lambda: kinds.CosineAnnealingLR(optimizer, steps),
        "linear": lambda: kinds.LinearLR(optimizer, 1.0, 0.0, steps),
        # torch's last step is at the end of the cycle, ours before it
        "one-cycle": lambda: kinds.OneCycleLR(optimizer, 1.0, steps + 1, pct_start=0.3 + 0.7 / 102),
    }[schedule]()
    expected = rates(scheduler, optimizer, steps)
    ours = [share_of_rate(schedule, step / steps) for step in range(steps)]
    # torch puts the top of the cycle on a whole step
    assert ours == pytest.approx(expected, abs=0.02 if schedule == "one-cycle" else 1e-9)


def test_steps_of_selflabel_fall_at_its_epochs():
    """Of 400 epochs: a tenth at 150 and 300, a thousandth from 350 on."""
    found = [share_of_rate("steps", epoch / 400) for epoch in (0, 149, 150, 299, 300, 349, 350)]
    assert found == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.001])


def test_the_rate_of_every_group_is_set():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 3))
    recipe = Recipe(clusters=3, learning_rate=0.4)
    optimizer = optimizer_of(net, recipe, head=net[1])
    set_rate(optimizer, recipe, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.2])
    assert [group["momentum"] for group in optimizer.param_groups] == [0.9, 0.0]


def test_weights_that_stand_still_are_left_out():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 3))
    net[0].requires_grad_(False)
    for kind in ("sgd", "adam"):
        optimizer = optimizer_of(net, Recipe(clusters=3, optimizer=kind))
        moved = [w for group in optimizer.param_groups for w in group["params"]]
        assert [w.shape for w in moved] == [w.shape for w in net[1].parameters()]
