# classes, properties, exceptions and money as Decimal
from __future__ import annotations

from contextlib import contextmanager
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, getcontext


class BankError(Exception):
    pass


class InsufficientFunds(BankError):
    def __init__(self, account: Account, amount: Decimal):
        super().__init__(f"{account.owner} has {account.balance:,.2f}, needs {amount:,.2f}")
        self.missing = amount - account.balance


class Account:
    _next = 1000

    def __init__(self, owner: str, balance="0"):
        self.owner = owner
        self._balance = Decimal(balance)
        self.number = Account._next
        Account._next += 1
        self.history: list[tuple[str, Decimal]] = []

    @property
    def balance(self) -> Decimal:
        return self._balance

    @balance.setter
    def balance(self, value):
        raise AttributeError("use deposit or withdraw")

    @staticmethod
    def amount(value) -> Decimal:
        try:
            amount = Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
        except InvalidOperation as error:
            raise BankError(f"not an amount: {value!r}") from error
        if amount <= 0:
            raise BankError(f"not positive: {amount}")
        return amount

    def deposit(self, value):
        amount = self.amount(value)
        self._balance += amount
        self.history.append(("deposit", amount))

    def withdraw(self, value):
        amount = self.amount(value)
        if amount > self._balance:
            raise InsufficientFunds(self, amount)
        self._balance -= amount
        self.history.append(("withdraw", -amount))

    def __repr__(self):
        return f"<Account {self.number} {self.owner!r} {self._balance}>"

    def __format__(self, spec):
        return format(str(self), spec or "s")


@contextmanager
def transaction(*accounts):
    saved = [(account, account._balance, account.history[:]) for account in accounts]
    try:
        yield
    except BankError as error:
        for account, balance, history in saved:
            account._balance, account.history = balance, history
        print("rolled back:", error)
    else:
        print("committed")


a, b = Account("Ann", "1250.505"), Account("Bob")
with transaction(a, b):
    a.withdraw("200.125")
    b.deposit("200.125")
with transaction(a, b):
    b.deposit(50)
    b.withdraw(1_000_000)
for bad in ("ten", "-1", "0.001"):
    try:
        a.deposit(bad)
    except BankError as error:
        print(type(error).__name__, error, "|", repr(error.__cause__))
try:
    a.balance = 5
except AttributeError as error:
    print(error)
print(a, b, a.history, f"[{b:>40}]", sep="\n")
principal, rate = Decimal("10000"), Decimal("0.0425")
for year in range(1, 6):
    principal = (principal * (1 + rate)).quantize(Decimal(".01"))
    print(f"year {year}: {principal:>12,}")
print(getcontext().prec, Decimal(1) / Decimal(7), Decimal("1.10") + Decimal("2.2"), Decimal("1E+3").normalize())
