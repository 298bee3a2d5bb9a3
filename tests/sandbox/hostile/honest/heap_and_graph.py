"""A shortest path, as in a contest."""
import heapq

graph = {0: [(1, 4), (2, 1)], 2: [(1, 2)], 1: []}
best, todo = {}, [(0, 0)]
while todo:
    cost, node = heapq.heappop(todo)
    if node not in best:
        best[node] = cost
        for other, weight in graph[node]:
            heapq.heappush(todo, (cost + weight, other))
print(best)
