# statistics of a CSV column, with the module statistics
import csv
import math
import statistics as st
from pathlib import Path

Path("scores.csv").write_text(
    "student;maths;physics\nAnn;88;92.5\nBen;72;65\nCid;95;98\nDee;60;71.25\nEve;88;80\nFay;;77\n", encoding="utf-8"
)
with open("scores.csv", newline="", encoding="utf-8") as file:
    dialect = csv.Sniffer().sniff(file.read(200))
    file.seek(0)
    rows = list(csv.DictReader(file, dialect=dialect))
print(dialect.delimiter, len(rows), rows[0])
for subject in ("maths", "physics"):
    values = [float(row[subject]) for row in rows if row[subject]]
    print(subject, sorted(values))
    print(f"  mean {st.mean(values):.3f} fmean {st.fmean(values)} geometric {st.geometric_mean(values):.4f} harmonic {st.harmonic_mean(values):.4f}")
    print(f"  median {st.median(values)} low {st.median_low(values)} high {st.median_high(values)} modes {st.multimode(values)}")
    print(f"  sd {st.stdev(values):.5f} pvariance {st.pvariance(values):.5f} quartiles {st.quantiles(values, n=4, method='inclusive')}")
pairs = [(float(row["maths"]), float(row["physics"])) for row in rows if row["maths"]]
x, y = zip(*pairs)
print(f"{st.correlation(x, y):.6f} {st.covariance(x, y):.4f}", st.linear_regression(x, y))
normal = st.NormalDist.from_samples(y)
print(normal, f"{normal.cdf(90):.6f} {normal.inv_cdf(0.95):.6f} {normal.pdf(80):.6f} {normal.zscore(100):.4f}")
print(st.NormalDist(100, 15).overlap(st.NormalDist(110, 15)), st.NormalDist(0, 1).quantiles(4))
print(math.fsum([0.1] * 10), sum([0.1] * 10), math.hypot(3, 4, 12), math.dist((0, 0), (1, 1)), math.comb(10, 3), math.perm(5), math.lcm(4, 6, 10), math.isqrt(10**20))
try:
    st.mean([])
except st.StatisticsError as error:
    print(type(error).__name__, error)
with open("out.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, ["student", "average"], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        marks = [float(row[s]) for s in ("maths", "physics") if row[s]]
        writer.writerow(row | {"average": f"{sum(marks) / len(marks):.2f}"})
print(Path("out.csv").read_text(), end="")
