// a CSV parser by characters, types, grouping, percentiles and a report
function* parseCSV(text, separator = ',') {
  let row = [], cell = '', quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') { cell += '"'; i++; }
      else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"') quoted = true;
    else if (c === separator) { row.push(cell); cell = ''; }
    else if (c === '\n') { row.push(cell); yield row; row = []; cell = ''; }
    else if (c !== '\r') cell += c;
  }
  if (cell || row.length) { row.push(cell); yield row; }
}
const text = 'date,store,item,qty,price,note\r\n2025-01-05,Oslo,"Lamp, desk",2,19.99,\r\n2025-01-06,Rome,Chair,1,49.5,"said ""nice"""\r\n2025-02-01,Oslo,Chair,4,45,\r\n2025-02-14,Oslo,Vase,1,n/a,"two\nlines"\r\n2025-02-20,Rome,Lamp,10,17.25,x';
const [header, ...lines] = parseCSV(text);
const convert = (v) => (v === '' ? null : /^-?\d+(\.\d+)?$/.test(v) ? Number(v) : /^\d{4}-\d\d-\d\d$/.test(v) ? new Date(v) : v);
const rows = lines.map((line) => Object.fromEntries(line.map((v, i) => [header[i], convert(v)])));
console.log(rows.length, rows[0], rows[3]);
const [valid, invalid] = [rows.filter((r) => typeof r.price === 'number'), rows.filter((r) => typeof r.price !== 'number')];
console.log(invalid.map((r) => `bad price ${JSON.stringify(r.price)} on ${r.date.toISOString().slice(0, 10)}`));
const sum = (items, f) => items.reduce((t, x) => t + f(x), 0);
const by = (items, f) => items.reduce((m, x) => m.set(f(x), [...(m.get(f(x)) ?? []), x]), new Map());
for (const [store, sales] of [...by(valid, (r) => r.store)].sort()) {
  const revenue = sum(sales, (s) => s.qty * s.price);
  console.log(`${store.padEnd(6)} ${String(sales.length).padStart(3)} sales ${revenue.toFixed(2).padStart(10)} avg ${(revenue / sum(sales, (s) => s.qty)).toFixed(3)}`);
}
const months = by(valid, (r) => r.date.toISOString().slice(0, 7));
console.log([...months].map(([m, s]) => [m, s.map((x) => x.item)]));
const percentile = (values, p) => { const s = values.toSorted((a, b) => a - b), i = (s.length - 1) * p, low = Math.floor(i); return s[low] + (s[low + 1] - s[low] || 0) * (i - low); };
const prices = valid.map((r) => r.price);
console.log([0, 0.25, 0.5, 0.9, 1].map((p) => percentile(prices, p)));
const mean = sum(prices, (x) => x) / prices.length, sd = Math.sqrt(sum(prices, (x) => (x - mean) ** 2) / (prices.length - 1));
console.log({ mean, sd, z: prices.map((x) => +((x - mean) / sd).toFixed(3)) });
const pivot = {};
for (const { store, item, qty } of valid) ((pivot[item.split(',')[0]] ??= {})[store] ??= 0), (pivot[item.split(',')[0]][store] += qty);
console.table(pivot);
const quote = (v) => (/[",\n\r]/.test(v) ? `"${v.replace(/"/g, '""')}"` : v);
console.log(rows.map((r) => header.map((h) => quote(r[h] instanceof Date ? r[h].toISOString().slice(0, 10) : String(r[h] ?? ''))).join(';')).join('\n'));
const bar = (n, max, width = 20) => '█'.repeat(Math.round((n / max) * width)).padEnd(width, '░');
for (const r of valid) console.log(`${r.item.slice(0, 5).padEnd(6)}${bar(r.qty * r.price, 180)} ${(r.qty * r.price).toLocaleString('en-US', { style: 'currency', currency: 'USD' })}`);
