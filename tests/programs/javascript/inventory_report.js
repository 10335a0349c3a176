// groups an inventory with reduce and Map, and prints tables
const inventory = [
  { sku: 'A1', name: 'Bolt', category: 'hardware', price: 0.25, stock: 1200 },
  { sku: 'B7', name: 'Hammer', category: 'tools', price: 18.9, stock: 12 },
  { sku: 'B9', name: 'Saw', category: 'tools', price: 24.5, stock: 0 },
  { sku: 'C3', name: 'Paint, "white"', category: 'paint', price: 32, stock: 7 },
  { sku: 'A2', name: 'Nut', category: 'hardware', price: 0.1, stock: 5000 },
];

const groupBy = (items, key) => items.reduce((groups, item) => {
  (groups[item[key]] ??= []).push(item);
  return groups;
}, {});

const money = (n) => '$' + n.toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
const groups = groupBy(inventory, 'category');
console.log(Object.keys(groups), groups.tools.length);
console.table(inventory);
console.table(inventory.map(({ name, stock }) => ({ name, stock })), ['stock']);
for (const [category, items] of Object.entries(groups).sort(([a], [b]) => a.localeCompare(b))) {
  const value = items.reduce((sum, { price, stock }) => sum + price * stock, 0);
  console.log(`${category.padEnd(10, '.')}${money(value).padStart(12)} (${items.map((i) => i.name).join(', ')})`);
}
const total = inventory.map((i) => i.price * i.stock).reduce((a, b) => a + b);
console.log('Total:', money(total), total.toLocaleString(), total.toLocaleString('en-US', { style: 'currency', currency: 'USD' }));
const byStock = new Map(inventory.map((i) => [i.sku, i.stock]));
console.log(byStock, [...byStock.keys()].sort());
console.log(inventory.filter((i) => !i.stock), inventory.find((i) => i.sku === 'C3'), inventory.findIndex((i) => i.price > 20));
console.log(inventory.toSorted((a, b) => b.price - a.price).map((i) => i.sku), inventory.at(-1).name, inventory.some((i) => i.stock > 1e3), inventory.every((i) => i.price));
const csv = [Object.keys(inventory[0]).join(','), ...inventory.map((row) => Object.values(row).map((v) => (/[",\n]/.test(v) ? `"${String(v).replaceAll('"', '""')}"` : v)).join(','))].join('\n');
console.log(csv);
const { A1, ...rest } = Object.fromEntries(inventory.map(({ sku, ...item }) => [sku, item]));
console.log(A1, Object.keys(rest), structuredClone(A1), JSON.stringify(rest.B7, null, 2));
console.log(Object.groupBy(inventory, ({ stock }) => (stock > 100 ? 'plenty' : stock ? 'some' : 'none')));
