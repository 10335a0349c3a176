# DNA: FASTA files, transcription, translation, alignment, k-mers
import io
import re
from collections import Counter
from itertools import product
from textwrap import wrap

FASTA = """>seq1 first sample
ATGGCCATTGTAATGGGCCGCTGAAAGGGTGCCCGATAG
TTTGCATGCAAATAA
>seq2
GGGTTTACGNNACGTAGCTAGCTA
>seq3 empty
"""
BASES = "TCAG"
AMINO = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
CODONS = dict(zip(map("".join, product(BASES, repeat=3)), AMINO))


def read_fasta(file):
    name, parts = None, []
    for line in file:
        line = line.strip()
        if line.startswith(">"):
            if name is not None:
                yield name, "".join(parts)
            name, parts = line[1:], []
        elif line:
            parts.append(line)
    if name is not None:
        yield name, "".join(parts)


def complement(dna):
    return dna.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def translate(dna):
    return "".join(CODONS.get(codon, "X") for codon in wrap(dna, 3) if len(codon) == 3)


def align(a, b, match=1, mismatch=-1, gap=-2):
    score = [[gap * (i + j) if not (i and j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            same = match if a[i - 1] == b[j - 1] else mismatch
            score[i][j] = max(score[i - 1][j - 1] + same, score[i - 1][j] + gap, score[i][j - 1] + gap)
    i, j, top, bottom = len(a), len(b), "", ""
    while i or j:
        same = match if i and j and a[i - 1] == b[j - 1] else mismatch
        if i and j and score[i][j] == score[i - 1][j - 1] + same:
            i, j, top, bottom = i - 1, j - 1, a[i - 1] + top, b[j - 1] + bottom
        elif i and score[i][j] == score[i - 1][j] + gap:
            i, top, bottom = i - 1, a[i - 1] + top, "-" + bottom
        else:
            j, top, bottom = j - 1, "-" + top, b[j - 1] + bottom
    middle = "".join("|" if x == y else " " if "-" in (x, y) else "." for x, y in zip(top, bottom))
    return score[-1][-1], top, middle, bottom


for name, sequence in read_fasta(io.StringIO(FASTA)):
    counts = Counter(sequence)
    gc = (counts["G"] + counts["C"]) / len(sequence) if sequence else 0
    print(f"{name:<20} {len(sequence):>3} bp  GC {gc:6.2%}  {dict(sorted(counts.items()))}")
    print("  protein ", translate(sequence))
    print("  reverse ", complement(sequence))
    kmers = Counter(sequence[i : i + 3] for i in range(len(sequence) - 2))
    print("  3-mers  ", sorted(kmers.items(), key=lambda item: (-item[1], item[0]))[:4])
    for match in re.finditer(r"(?=(ATG(?:[ACGT]{3})*?(?:TAA|TAG|TGA)))", sequence):
        print("  ORF     ", match.start(), match[1], translate(match[1]))
print(*align("GATTACA", "GCATGCT"), sep="\n")
print(*align("ACGTACGT", "ACGT"), sep="\n")
print(CODONS["ATG"], len(CODONS), re.findall(r"(.)\1+", "AATTTGCC"), re.sub(r"(.)\1*", lambda m: f"{len(m[0])}{m[1]}", "AATTTGCC"), sum(x != y for x, y in zip("GAGCC", "CATCG")))
