"""An order of what needs each other: each after what it needs, and out of order only where a cycle leaves no choice."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def topological(needs: Sequence[set[int]]) -> list[int]:
    """Order numbers after those that they need, out of order only within a cycle.

    Of those that lack nothing, the one that was freed last is next, then the least; when all lack something, the one
    that lacks least of a cycle that waits for nothing but itself. O((n + edges) log n).

    >>> topological([{2}, set(), {1}])
    [1, 2, 0]
    >>> topological([{1}, {0}, {0, 1}])
    [0, 1, 2]
    """
    cycle = _cycles(needs)
    members: list[list[int]] = [[] for _ in needs]
    users: list[list[int]] = [[] for _ in needs]
    outside = [0] * len(needs)
    for number, need in enumerate(needs):
        members[cycle[number]].append(number)
        outside[cycle[number]] += sum(cycle[needed] != cycle[number] for needed in need)
        for needed in need:
            users[needed].append(number)
    lacking = [len(need) for need in needs]
    heap = [(lacking[number], 0, number) for number in range(len(needs)) if not outside[cycle[number]]]
    heapq.heapify(heap)
    order: list[int] = []
    done = [False] * len(needs)
    while heap:
        lacks, _, number = heapq.heappop(heap)
        if done[number] or lacks != lacking[number]:
            continue  # an older entry
        done[number] = True
        order.append(number)
        for user in users[number]:
            lacking[user] -= 1
            outside[cycle[user]] -= cycle[user] != cycle[number]
            freed = members[cycle[user]] if cycle[user] != cycle[number] else [user]
            if not outside[cycle[user]]:
                for one in freed:
                    if not done[one]:
                        heapq.heappush(heap, (lacking[one], 0 if lacking[one] else -len(order), one))
    return order


def _cycles(needs: Sequence[set[int]]) -> list[int]:
    """Number the strongly connected components (Tarjan 1972, without recursion): those of one number need each other."""
    found = [-1] * len(needs)
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    open_: list[int] = []
    count = 0
    for root in range(len(needs)):
        path = [(root, iter(sorted(needs[root])))] if root not in index else []
        while path:
            number, rest = path[-1]
            if number not in index:
                index[number] = low[number] = len(index)
                open_.append(number)
            for needed in rest:
                if needed not in index:
                    path.append((needed, iter(sorted(needs[needed]))))
                    break
                if found[needed] < 0:
                    low[number] = min(low[number], index[needed])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[number])
                if low[number] == index[number]:
                    while found[number] < 0:
                        found[open_.pop()] = count
                    count += 1
    return found
