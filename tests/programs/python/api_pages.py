# follows the pages of an API with http.client and sums orders
# api = true
import http.client
import json
import os
from collections import defaultdict
from decimal import Decimal
from urllib.parse import urlsplit

parts = urlsplit(os.environ["API"])


class Client:
    def __init__(self, host, port):
        self.host, self.port, self.calls = host, port, 0

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            self.calls += 1
            data = response.read()
            if response.status >= 400:
                raise RuntimeError(f"{method} {path}: {response.status} {response.reason}")
            return json.loads(data, parse_float=Decimal)
        finally:
            connection.close()

    def pages(self, path):
        while path:
            page = self.request("GET", path)
            yield from page["items"]
            path = page["next"]


client = Client(parts.hostname, parts.port)
names = {user["id"]: user["name"] for user in client.request("GET", "/users")}
totals = defaultdict(Decimal)
for order in client.pages("/orders/page1"):
    totals[order["user"], order["currency"]] += Decimal(order["total"])
    print(order["id"], names[order["user"]], order["total"], order["currency"])
for (user, currency), total in sorted(totals.items()):
    print(f"{names[user]:<14} {total:>8} {currency}")
print(client.request("PUT", "/orders/A-1", {"paid": True, "note": None}))
try:
    client.request("GET", "/orders/page9")
except RuntimeError as error:
    print(error)
weather = client.request("GET", "/weather")
values = [hour["c"] for hour in weather["hours"]]
print(weather["city"], values, f"{sum(values) / len(values):.2f}", min(weather["hours"], key=lambda h: h["c"])["t"])
print(client.calls, "calls", http.HTTPStatus(404).phrase, http.client.responses[201])
