// tables of mathematical functions with all digits
for (let degrees = 0; degrees <= 180; degrees += 15) {
  const a = (degrees * Math.PI) / 180;
  console.log(degrees, Math.sin(a), Math.cos(a), Math.tan(a));
}
for (let n = 1; n <= 10; n++) {
  const x = n / 4;
  console.log(x, Math.exp(x), Math.log(x), Math.log10(x), Math.log2(x), Math.sqrt(x), Math.cbrt(x), Math.atan(x), Math.sinh(x), Math.cosh(x), Math.tanh(x), Math.expm1(x), Math.log1p(x), Math.asinh(x));
}
console.log(Array.from({ length: 11 }, (_, i) => [Math.asin(i / 10), Math.acos(i / 10), Math.atanh(i / 11)]));
console.log(Array.from({ length: 10 }, (_, i) => i ** 0.5), 2 ** 0.1, 10 ** -0.3, 1.1 ** 50, 0.99 ** 365, Math.pow(1.05, 10));
const haversine = ([a, b], [c, d]) => { const rad = (x) => (x * Math.PI) / 180, h = Math.sin(rad(c - a) / 2) ** 2 + Math.cos(rad(a)) * Math.cos(rad(c)) * Math.sin(rad(d - b) / 2) ** 2; return 12742.0176 * Math.asin(Math.sqrt(h)); };
const cities = { Paris: [48.8566, 2.3522], London: [51.5074, -0.1278], Tokyo: [35.6762, 139.6503], Sydney: [-33.8688, 151.2093] };
for (const a in cities) for (const b in cities) if (a < b) console.log(a, b, haversine(cities[a], cities[b]));
let amount = 1000;
for (let year = 1; year <= 5; year++) { amount *= 1.05; console.log(year, amount, 1000 * 1.05 ** year); }
let sum = 0;
for (let k = 0; k < 1000; k++) sum += ((-1) ** k * 4) / (2 * k + 1);
console.log(sum, Math.atan2(1, -1), Math.hypot(1, 1), Math.E, Math.LN2, Math.SQRT1_2);
console.log(Array.from({ length: 20 }, (_, i) => Math.sin(i)), Array.from({ length: 20 }, (_, i) => Math.cos(i * 0.1)));
