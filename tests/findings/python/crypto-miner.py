# expect: crypto-miner:5 crypto-miner:6 crypto-miner:7 crypto-miner:8
import json
import socket

POOL = "stratum+tcp://pool.example:3333"
connection = socket.create_connection(("xmr.nanopool.org", 14444))
connection.send(json.dumps({"id": 1, "method": "mining.subscribe", "params": []}).encode())
arguments = ["./xmrig", "-o", POOL]
