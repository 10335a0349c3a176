# least squares, gradient descent, k-means, k nearest neighbours, a perceptron
import math
import random
from collections import Counter, defaultdict
from statistics import fmean

rng = random.Random(0)


def solve(a, b):
    n = len(b)
    rows = [row[:] + [value] for row, value in zip(a, b)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i])]
    result = [0.0] * n
    for i in reversed(range(n)):
        result[i] = (rows[i][n] - sum(rows[i][j] * result[j] for j in range(i + 1, n))) / rows[i][i]
    return result


def polyfit(xs, ys, degree):
    powers = [[x**k for k in range(degree + 1)] for x in xs]
    a = [[sum(p[i] * p[j] for p in powers) for j in range(degree + 1)] for i in range(degree + 1)]
    b = [sum(p[i] * y for p, y in zip(powers, ys)) for i in range(degree + 1)]
    return solve(a, b)


xs = [n / 10 for n in range(50)]
ys = [2 - 3 * x + 0.5 * x * x + rng.gauss(0, 0.1) for x in xs]
for degree in (1, 2, 3):
    coefficients = polyfit(xs, ys, degree)
    errors = [y - sum(c * x**k for k, c in enumerate(coefficients)) for x, y in zip(xs, ys)]
    print(degree, [f"{c:+.4f}" for c in coefficients], f"rmse {math.sqrt(fmean(e * e for e in errors)):.5f}")

w = b = 0.0
for epoch in range(500):
    gw = fmean(2 * (w * x + b - y) * x for x, y in zip(xs, ys))
    gb = fmean(2 * (w * x + b - y) for x, y in zip(xs, ys))
    w, b = w - 0.05 * gw, b - 0.05 * gb
    if epoch % 100 == 0:
        print(f"epoch {epoch:3} w={w:.5f} b={b:.5f}")

centres = [(0, 0), (5, 5), (0, 6)]
points = [(rng.gauss(x, 0.8), rng.gauss(y, 0.8)) for x, y in centres for _ in range(20)]
rng.shuffle(points)
means = rng.sample(points, 3)
for step in range(20):
    clusters = defaultdict(list)
    for point in points:
        clusters[min(range(3), key=lambda i: math.dist(point, means[i]))].append(point)
    new = [tuple(map(fmean, zip(*clusters[i]))) for i in range(3)]
    if new == means:
        break
    means = new
print("k-means", step, sorted((round(x, 3), round(y, 3), len(clusters[i])) for i, (x, y) in enumerate(means)))


def knn(train, point, k=5):
    near = sorted(train, key=lambda pair: math.dist(pair[0], point))[:k]
    return Counter(label for _, label in near).most_common(1)[0][0]


labelled = [(point, "abc"[min(range(3), key=lambda i: math.dist(point, centres[i]))]) for point in points]
hits = sum(knn(labelled[10:], point) == label for point, label in labelled[:10])
print("knn", hits, "of 10", knn(labelled, (2.4, 2.6)))


class Perceptron:
    def __init__(self, inputs):
        self.weights = [0.0] * (inputs + 1)

    def __call__(self, values):
        return int(self.weights[0] + sum(w * v for w, v in zip(self.weights[1:], values)) > 0)

    def train(self, rows, rate=0.1):
        for epoch in range(1, 100):
            wrong = 0
            for values, target in rows:
                error = target - self(values)
                wrong += error != 0
                self.weights[0] += rate * error
                self.weights[1:] = [w + rate * error * v for w, v in zip(self.weights[1:], values)]
            if not wrong:
                return epoch


unit = Perceptron(2)
rows = [((a, b), a & b) for a in (0, 1) for b in (0, 1)]
print("perceptron", unit.train(rows), [round(weight, 2) for weight in unit.weights], [unit(values) for values, _ in rows])
words = [("win money now", 1), ("cheap money win", 1), ("meeting at noon", 0), ("lunch at noon now", 0)]
counts = {0: Counter(), 1: Counter()}
for text, label in words:
    counts[label].update(text.split())
vocabulary = set(counts[0]) | set(counts[1])
score = lambda text, label: sum(math.log((counts[label][word] + 1) / (counts[label].total() + len(vocabulary))) for word in text.split())
for text in ("win now", "meeting now", "noon money"):
    print(f"{text:<12} {score(text, 0):.4f} {score(text, 1):.4f} {'spam' if score(text, 1) > score(text, 0) else 'fine'}")
softmax = lambda v: [math.exp(x - max(v)) / sum(math.exp(y - max(v)) for y in v) for x in v]
print([round(p, 8) for p in softmax([1.0, 2.0, 3.0])], f"{math.tanh(0.3):.12f}", 1 / (1 + math.exp(-0.7)))
