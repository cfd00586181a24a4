"""One optimizer step by several threads, with the same bits for any number of them.

Every batch is cut into a fixed number of shards. A shard runs on its own replica, which shares the
weights and has its own batch-normalization statistics, as devices do in data-parallel training;
gradients and statistics are then added in the order of the shards. Where several processes train
together (:mod:`rsclass.deep.team`), the shards are dealt out to them, and nothing else changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from rsclass.deep.nets import PixelNet
from rsclass.deep.precision import Precision
from rsclass.deep.team import packed, team, unpacked
from rsclass.deep.threads import one_thread

__all__ = ["SHARDS", "Shards", "follow"]

SHARDS = 4
_MOMENTUM = 0.1  # of the running statistics

Loss = Callable[[Any, int], tuple[Tensor, Any]]


class Shards:
    """A network in training and the threads that run its shards.

    Parameters
    ----------
    net : Module
        Weights that ask for no gradient stay as they are.
    jobs : int
        Threads; sets the speed, never the result.
    """

    def __init__(self, net: nn.Module, jobs: int) -> None:
        self.net = net.train()
        self.weights = [weight for weight in net.parameters() if weight.requires_grad]
        shared = {id(weight): weight for weight in net.parameters()}
        self.replicas = [copy.deepcopy(net, dict(shared)) for _ in range(SHARDS)]
        for replica in self.replicas:
            for norm in _norms(replica):
                norm.momentum = 1.0  # the replica's statistics are those of its last shard
        self.team = team()
        self.precision = Precision(next(net.parameters()).device)
        self.pool = ThreadPoolExecutor(max(1, min(jobs, SHARDS)), "rsclass-shard")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pool.shutdown(cancel_futures=True)

    def backward(self, loss: Loss, n: int) -> tuple[float, list[Any]]:
        """Set the gradients of the sum of ``loss(replica, shard)`` over ``n`` shards.

        Returns
        -------
        total : float
            The sum of the losses.
        results : list
            What each shard gave beside its loss, in order.
        """

        def run(shard: int) -> tuple[float, tuple[Tensor, ...], Any]:
            with one_thread():
                with self.precision():
                    value, result = loss(self.replicas[shard], shard)
                gradients = torch.autograd.grad(value, self.weights)
            return float(value.detach()), gradients, result

        own = list(self.pool.map(run, self.team.mine(n)))
        self._add_up([gradients for _, gradients, _ in own], n)
        told = self.team.gathered([(value, result) for value, _, result in own], n)
        return sum(value for value, _ in told), [result for _, result in told]

    def backward_jointly(
        self,
        outputs: Callable[[Any, int], Tensor],
        loss: Callable[[list[Tensor]], tuple[Tensor, Any]],
        n: int,
    ) -> tuple[float, Any]:
        """Set the gradients of a loss that compares the samples of all ``n`` shards.

        Parameters
        ----------
        outputs : callable
            What ``replica`` gives for the samples of ``shard``.
        loss : callable
            Of the outputs of all shards in order; a value and what else it tells.
        """

        def forward(shard: int) -> Tensor:
            with one_thread(), self.precision():
                return outputs(self.replicas[shard], shard).float()

        mine = self.team.mine(n)
        given = list(self.pool.map(forward, mine))
        with one_thread():
            device = given[0].device if given else self.weights[0].device
            sent = [output.detach() for output in given]
            if self.team.size > 1:
                sent = [output.cpu() for output in sent]
            every = self.team.gathered(sent, n)
            ends = [output.to(device).requires_grad_() for output in every]
            value, result = loss(ends)
            slopes = torch.autograd.grad(value, ends)

        def back(place: int) -> tuple[Tensor, ...]:
            with one_thread():
                return torch.autograd.grad(given[place], self.weights, slopes[mine[place]])

        self._add_up(list(self.pool.map(back, range(len(mine)))), n)
        return float(value.detach()), result

    def _add_up(self, own: list[tuple[Tensor, ...]], n: int) -> None:
        """Add the gradients and statistics of all shards, of which ``own`` are this process's."""
        gradients = own if self.team.size == 1 else self._from_all(own, n)
        with one_thread():
            for weight, parts in zip(self.weights, zip(*gradients, strict=True), strict=True):
                weight.grad = parts[0].clone()
                for part in parts[1:]:
                    weight.grad += part
            self._merge_statistics(n)

    def _from_all(self, own: list[tuple[Tensor, ...]], n: int) -> list[tuple[Tensor, ...]]:
        """Gradients of all shards; the replicas get the statistics that others have worked out."""
        sent = [
            (packed(parts), packed(_statistics(self.replicas[shard])))
            for shard, parts in zip(self.team.mine(n), own, strict=True)
        ]
        gathered = self.team.gathered(sent, n)
        for replica, (_, flat) in zip(self.replicas, gathered, strict=False):
            buffers = _statistics(replica)
            for buffer, value in zip(buffers, unpacked(flat, buffers), strict=True):
                buffer.copy_(value)
        return [unpacked(flat, self.weights) for flat, _ in gathered]

    def require_same(self) -> None:
        """Make sure that all processes of a team have come to the same weights.

        Raises
        ------
        TeamError
            They have not.
        """
        self.team.require_same([packed(self.net.parameters()), packed(_statistics(self.net))])

    def map(self, task: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """``task`` of every item, in order, one torch thread each."""

        def run(item: Any) -> Any:
            with one_thread():
                return task(item)

        own = list(self.pool.map(run, [items[i] for i in self.team.mine(len(items))]))
        return self.team.gathered(own, len(items))

    @torch.no_grad()
    def _merge_statistics(self, n: int) -> None:
        parts = [_norms(replica) for replica in self.replicas[:n]]
        for i, norm in enumerate(_norms(self.net)):
            for name in ("running_mean", "running_var"):
                mean = getattr(parts[0][i], name).clone()
                for part in parts[1:]:
                    mean += getattr(part[i], name)
                getattr(norm, name).mul_(1 - _MOMENTUM).add_(mean, alpha=_MOMENTUM / n)


@torch.no_grad()
def follow(teacher: PixelNet, net: PixelNet, decay: float) -> None:
    """Move ``teacher`` toward ``net``: weights and statistics become an exponential average."""
    given = net.state_dict()
    still = tuple(f"{part}." for part, share in net.held.items() if share == 0)
    for name, value in teacher.state_dict().items():
        if name.startswith(still):
            continue
        if value.dtype.is_floating_point:
            value.mul_(decay).add_(given[name], alpha=1 - decay)
        else:
            value.copy_(given[name])


def _statistics(net: nn.Module) -> list[Tensor]:
    """Running means and variances."""
    pairs = [(norm.running_mean, norm.running_var) for norm in _norms(net)]
    return [tensor for pair in pairs for tensor in pair if tensor is not None]


def _norms(net: nn.Module) -> list[nn.BatchNorm2d]:
    """Those that learn statistics."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    return [norm for norm in norms if norm.training]
