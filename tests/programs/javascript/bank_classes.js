// accounts with private fields, errors with causes and a ledger
class InsufficientFundsError extends Error {
  constructor(needed, available, options) {
    super(`Insufficient funds: needed ${needed.toFixed(2)}, available ${available.toFixed(2)}`, options);
    this.name = 'InsufficientFundsError';
    this.needed = needed;
  }
}

class Account {
  #balance = 0;
  #log = [];
  static #next = 100;
  constructor(owner) {
    this.owner = owner;
    this.id = Account.#next++;
  }
  get balance() { return this.#balance; }
  deposit(amount) {
    if (typeof amount !== 'number' || !(amount > 0)) throw new RangeError(`Invalid amount: ${amount}`);
    this.#balance += amount;
    this.#log.push({ type: 'deposit', amount });
    return this;
  }
  withdraw(amount) {
    if (amount > this.#balance) throw new InsufficientFundsError(amount, this.#balance);
    this.#balance -= amount;
    this.#log.push({ type: 'withdraw', amount });
    return this;
  }
  *history() { yield* this.#log; }
}

class Bank {
  accounts = new Map();
  open(owner, initial = 0) {
    const account = new Account(owner);
    if (initial) account.deposit(initial);
    this.accounts.set(account.id, account);
    return account;
  }
  transfer(from, to, amount) {
    try {
      this.accounts.get(from).withdraw(amount);
      this.accounts.get(to).deposit(amount);
    } catch (error) {
      throw new Error(`Transfer from ${from} to ${to} failed`, { cause: error });
    }
  }
}

const bank = new Bank();
const ann = bank.open('Ann', 500), bob = bank.open('Bob');
bank.transfer(ann.id, bob.id, 120.5);
for (const attempt of [() => bank.transfer(bob.id, ann.id, 9999), () => ann.deposit(-5), () => ann.deposit('ten'), () => { ann.balance = 1e6; }]) {
  try {
    attempt();
    console.log('no error');
  } catch (error) {
    console.log(`${error.name}: ${error.message}`, error.cause ? `<- ${error.cause}` : '', error.cause instanceof InsufficientFundsError);
  }
}
console.log(ann.balance, bob.balance, [...ann.history()]);
console.log(ann, bank);
console.log(JSON.stringify(bank), JSON.stringify([...bank.accounts.values()]));
console.log([...bank.accounts].map(([id, { owner, balance }]) => `${id}:${owner}:${balance.toFixed(2)}`).join(' | '));
