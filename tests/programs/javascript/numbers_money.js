// numbers: rounding, money, formats, BigInt, bits, dates in Intl
const round = (n, d = 2) => Math.round((n + Number.EPSILON) * 10 ** d) / 10 ** d;
console.log(0.1 + 0.2, 1.005 * 100, round(1.005), (1.005).toFixed(2), (2.5).toFixed(0), (-1.5).toFixed(0), (1e21).toFixed(2), (0.000001234).toString(), 123456789.123.toPrecision(4), (255).toString(16), (0.1).toString(2).length, (1234.5678).toExponential(2));
for (const [n, options] of [[1234567.891, {}], [1234.5, { style: 'currency', currency: 'USD' }], [-1234.5, { style: 'currency', currency: 'EUR' }], [5000, { style: 'currency', currency: 'JPY' }], [0.256, { style: 'percent' }], [0.2567, { style: 'percent', maximumFractionDigits: 1 }], [1234567, { notation: 'compact' }], [1e9, { notation: 'compact', compactDisplay: 'long' }], [3.14159, { maximumFractionDigits: 3 }], [5, { minimumFractionDigits: 2 }], [42, { minimumIntegerDigits: 4 }], [1234.5, { useGrouping: false }], [0.00012345, { maximumSignificantDigits: 3 }], [-0, { signDisplay: 'always' }], [12, { signDisplay: 'exceptZero' }], [1234.5, { style: 'currency', currency: 'GBP', currencyDisplay: 'name' }], [-5.5, { style: 'currency', currency: 'USD', currencySign: 'accounting' }], [16, { style: 'unit', unit: 'kilometer-per-hour' }], [1e-7, {}], [NaN, {}], [Infinity, {}], [12345678901234567890n, {}]]) {
  try { console.log(String(n), JSON.stringify(options), new Intl.NumberFormat('en-US', options).format(n)); } catch (error) { console.log(String(n), JSON.stringify(options), error.name, error.message); }
}
for (const locale of ['de-DE', 'fr-FR', 'en-IN', 'ja-JP', 'pt-BR', 'sv-SE', 'de-CH', 'en-GB']) console.log(locale, (1234567.891).toLocaleString(locale), (1234.5).toLocaleString(locale, { style: 'currency', currency: 'EUR' }));
class Money {
  constructor(cents, currency = 'USD') { this.cents = BigInt(cents); this.currency = currency; }
  static parse(text) { const [, sign, whole, part = ''] = /^(-?)\$?([\d,]+)(?:\.(\d{1,2}))?$/.exec(text) ?? (() => { throw new SyntaxError(`not money: ${text}`); })(); return new Money(BigInt(sign + whole.replaceAll(',', '') + part.padEnd(2, '0'))); }
  split(n) { const base = this.cents / BigInt(n), extra = Number(this.cents % BigInt(n)); return Array.from({ length: n }, (_, i) => new Money(base + (i < extra ? 1n : 0n))); }
  times(rate) { return new Money(Math.round(Number(this.cents) * rate)); }
  toString() { const s = this.cents.toString().replace('-', '').padStart(3, '0'); return `${this.cents < 0n ? '-' : ''}$${s.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',')}.${s.slice(-2)}`; }
}
console.log(`${Money.parse('1,234.5')}`, Money.parse('100').split(3).join(' '), String(Money.parse('19.99').times(1.19)), new Money(5), String(Money.parse('-0.05')));
try { Money.parse('abc'); } catch (error) { console.log(String(error)); }
const schedule = [];
let balance = 10000;
const rate = 0.05 / 12, payment = (balance * rate) / (1 - (1 + rate) ** -12);
for (let month = 1; balance > 0.005; month++) { const interest = balance * rate; balance -= payment - interest; schedule.push([month, payment.toFixed(2), interest.toFixed(2), Math.abs(balance).toFixed(2)]); }
console.log(schedule.map((row) => row.map((cell) => String(cell).padStart(9)).join('')).join('\n'));
const factorial = (n) => (n <= 1n ? 1n : n * factorial(n - 1n));
console.log(factorial(25n), 2n ** 100n, -7n / 2n, -7n % 2n, BigInt.asUintN(8, 257n), BigInt('0xff'), typeof 1n, 1n < 2, 2n == 2, [3n, 1, 2n].sort((a, b) => (a < b ? -1 : 1)), (123n).toLocaleString(), Number(2n ** 64n), parseInt('12px'), parseFloat('3.14abc'), Number(''), Number('0x1f'), Number(null), Number([5]), +true, parseInt('z', 36), Number.parseFloat('.5e1'));
console.log(5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 31, -1 >>> 0, -1 >> 1, 2 ** 53 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, Number.EPSILON, Number.isInteger(5.0), Number.isSafeInteger(2 ** 53), isNaN('x'), 7 % -3, -7 % 3, 5 / 0, -5 / 0, 0 / 0, Math.trunc(-4.7), Math.round(-0.5), Math.round(2.5), Math.sign(-3), Math.hypot(3, 4), Math.cbrt(27), Math.log2(8), Math.fround(5.5), Math.clz32(1), Math.imul(3, 4), Math.max(), Math.min());
console.log([1, 2, 3, 4].map(Math.sqrt), [0.5, 1, 2].map(Math.exp), [0.5, 1, 2].map(Math.sin), Math.PI, Math.atan2(1, 2), Math.pow(2, 0.5), 1.1 ** 10, 9007199254740993, 0.1 * 3, 1 / 3, 100 / 3, 1e300 * 10, 5e-324, 123e-20, 1e100);
console.log(['1', '2', '10'].map(Number).sort(), [10, 9, 1].sort(), ['1', '2', '3'].map(parseInt), [3, 1, 2].sort((a, b) => b - a), Array.from('12345', Number).reduce((a, b) => a + b));
