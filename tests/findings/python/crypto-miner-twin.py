# expect:
"""Shows what xmrig earns at stratum+tcp://pool.example."""
import json

API = "https://api.nanopool.org/v1/xmr/pool/hashrate"
print(json.dumps({"data mining": "text mining.", "mail": "help@nicehash.com", "layers": "stratum"}), API)


def is_miner(name):
    return name in ("xmrig", "minerd")
