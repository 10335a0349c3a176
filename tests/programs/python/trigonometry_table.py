# prints tables of functions with all digits
import math

print(f"{'deg':>4} {'sin':>22} {'cos':>24} {'tan':>24}")
for degrees in range(0, 181, 15):
    angle = math.radians(degrees)
    print(f"{degrees:>4} {math.sin(angle)!r:>22} {math.cos(angle)!r:>24} {math.tan(angle)!r:>24}")
for n in range(1, 11):
    x = n / 4
    print(x, math.exp(x), math.log(x), math.log10(x), math.sqrt(x), math.atan(x), math.sinh(x), math.cosh(x), math.tanh(x))
print([math.sin(n) for n in range(10)])
print([round(math.cos(n * 0.1), 12) for n in range(10)])
print([math.asin(n / 10) for n in range(11)])
print([n**0.5 for n in range(10)], [2**0.1, 10**-0.3, 1.1**50, 0.99**365])
print(math.pi, math.e, math.tau, math.atan2(1, -1), math.hypot(1, 1), math.dist([1, 2], [4, 6]))


def haversine(lat1, lon1, lat2, lon2, radius=6371.0088):
    p1, p2 = math.radians(lat1), math.radians(lat2)
    dp, dl = p2 - p1, math.radians(lon2 - lon1)
    a = math.sin(dp / 2) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(dl / 2) ** 2
    return 2 * radius * math.asin(math.sqrt(a))


CITIES = {"Paris": (48.8566, 2.3522), "London": (51.5074, -0.1278), "Tokyo": (35.6762, 139.6503), "Sydney": (-33.8688, 151.2093), "Lima": (-12.0464, -77.0428)}
names = list(CITIES)
for index, a in enumerate(names):
    for b in names[index + 1 :]:
        print(f"{a}-{b}: {haversine(*CITIES[a], *CITIES[b])}")
amount = 1000
for year in range(1, 11):
    amount *= 1.05
    print(year, amount, 1000 * 1.05**year)
print(sum(1 / n**2 for n in range(1, 1001)), math.sqrt(6 * sum(1 / n**2 for n in range(1, 1001))))
print(sum((-1) ** k * 4 / (2 * k + 1) for k in range(1000)), math.prod((4 * n * n) / (4 * n * n - 1) for n in range(1, 500)) * 2)
