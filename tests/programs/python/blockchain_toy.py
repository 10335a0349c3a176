# a toy blockchain with proof of work, Merkle trees and validation
import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone


def sha(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def merkle(items):
    level = [sha(item) for item in items] or [sha("")]
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [sha(a + b) for a, b in zip(level[::2], level[1::2])]
    return level[0]


@dataclass
class Block:
    index: int
    time: str
    transactions: list
    previous: str
    nonce: int = 0
    root: str = field(init=False)

    def __post_init__(self):
        self.root = merkle(self.transactions)

    @property
    def hash(self):
        return sha({k: v for k, v in asdict(self).items() if k != "transactions"})


class Chain:
    def __init__(self, difficulty=3):
        self.difficulty, self.pending = difficulty, []
        self.clock = datetime(2025, 1, 1, tzinfo=timezone.utc)
        self.blocks = [Block(0, self.clock.isoformat(), [], "0" * 64)]

    def send(self, source, target, amount):
        if source != "mint" and self.balance(source) < amount:
            raise ValueError(f"{source} has only {self.balance(source)}, not {amount}")
        self.pending.append({"from": source, "to": target, "amount": amount})

    def balance(self, who):
        transactions = [t for block in self.blocks for t in block.transactions] + self.pending
        return sum(t["amount"] * ((t["to"] == who) - (t["from"] == who)) for t in transactions)

    def mine(self, miner):
        self.pending.append({"from": "mint", "to": miner, "amount": 10})
        self.clock += timedelta(minutes=10)
        block = Block(len(self.blocks), self.clock.isoformat(), self.pending, self.blocks[-1].hash)
        while not block.hash.startswith("0" * self.difficulty):
            block.nonce += 1
        self.blocks.append(block)
        self.pending = []
        return block

    def problems(self):
        for before, block in zip(self.blocks, self.blocks[1:]):
            if block.previous != before.hash:
                yield f"block {block.index}: the previous hash is wrong"
            if block.root != merkle(block.transactions):
                yield f"block {block.index}: the transactions were changed"
            if not block.hash.startswith("0" * self.difficulty):
                yield f"block {block.index}: no work was done"


chain = Chain(2)
chain.mine("ann")
chain.send("ann", "bob", 4)
chain.send("bob", "cid", 1)
chain.mine("bob")
try:
    chain.send("cid", "ann", 5)
except ValueError as error:
    print(error)
chain.mine("cid")
for block in chain.blocks:
    print(block.index, block.time, block.hash[:16], block.previous[:8], block.nonce, len(block.transactions))
print({who: chain.balance(who) for who in ("ann", "bob", "cid", "mint")})
print(list(chain.problems()) or "valid")
chain.blocks[2].transactions[0]["amount"] = 400
print(list(chain.problems()))
chain.blocks[2].root = merkle(chain.blocks[2].transactions)
print(list(chain.problems()))
print(merkle([]), merkle([1, 2, 3])[:20], hashlib.sha3_512(b"x").hexdigest()[:20], hashlib.blake2s(b"x", digest_size=8).hexdigest(), hashlib.shake_128(b"x").hexdigest(8), sorted(hashlib.algorithms_guaranteed)[:5])
print(hashlib.file_digest(open("f", "wb+"), "md5").hexdigest(), hashlib.sha256(b"a").digest()[:4], hashlib.md5(b"x", usedforsecurity=False).name, hashlib.sha1().block_size)
