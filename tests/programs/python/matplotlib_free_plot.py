# plots in text: bar chart, scatter plot, sparkline, histogram, SVG and PPM files
import math
from pathlib import Path


def bars(data, width=30):
    top = max(data.values())
    label = max(map(len, data))
    for name, value in data.items():
        full, part = divmod(value / top * width * 8, 8)
        print(f"{name:>{label}} ▏{'█' * int(full)}{' ▏▎▍▌▋▊▉'[int(part)]} {value}")


def sparkline(values):
    low, high = min(values), max(values)
    return "".join("▁▂▃▄▅▆▇█"[round((v - low) / (high - low) * 7)] for v in values)


class Canvas:
    def __init__(self, width, height):
        self.width, self.height = width, height
        self.cells = [[" "] * width for _ in range(height)]

    def plot(self, function, start, end, char="*"):
        points = [(x, function(start + (end - start) * x / (self.width - 1))) for x in range(self.width)]
        low, high = min(y for _, y in points), max(y for _, y in points)
        for x, y in points:
            row = round((high - y) / (high - low) * (self.height - 1))
            self.cells[row][x] = char
        return low, high

    def __str__(self):
        border = "+" + "-" * self.width + "+"
        return "\n".join([border, *("|" + "".join(row) + "|" for row in self.cells), border])


def braille(points, width, height):
    grid = [[0] * width for _ in range(height)]
    dots = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
    for x, y in points:
        grid[int(y) // 4][int(x) // 2] |= dots[int(y) % 4][int(x) % 2]
    return "\n".join("".join(chr(0x2800 + cell) for cell in row) for row in grid)


bars({"Berlin": 3769, "Hamburg": 1841, "München": 1472, "Köln": 1086, "Bonn": 330})
print(sparkline([math.sin(n / 3) for n in range(40)]))
canvas = Canvas(60, 11)
print(canvas.plot(math.sin, 0, 2 * math.pi), canvas.plot(lambda x: math.exp(-x * x), -2, 2, "o"))
print(canvas)
print(braille([(30 + 28 * math.cos(a / 50), 16 + 15 * math.sin(a / 50)) for a in range(315)], 30, 8))

series = [(x, round(50 - 40 * math.sin(x / 15), 2)) for x in range(0, 101, 10)]
path = " ".join(f"{'M' if n == 0 else 'L'}{x},{y}" for n, (x, y) in enumerate(series))
svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path d="{path}" fill="none"/></svg>'
Path("plot.svg").write_text(svg)
print(svg)
with open("image.ppm", "wb") as file:
    file.write(b"P6\n16 16\n255\n")
    for y in range(16):
        file.write(bytes(channel for x in range(16) for channel in (x * 16, y * 16, (x ^ y) * 16)))
content = Path("image.ppm").read_bytes()
print(len(content), content[:20], sum(content))


def mandelbrot(width, height, limit=30):
    for row in range(height):
        line = ""
        for column in range(width):
            c = complex(-2.2 + 3 * column / width, -1.2 + 2.4 * row / height)
            z, n = 0, 0
            while abs(z) <= 2 and n < limit:
                z, n = z * z + c, n + 1
            line += " .:-=+*#%@"[n * 9 // limit]
        print(line.rstrip())


mandelbrot(60, 20)
