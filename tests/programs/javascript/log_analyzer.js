// analyses a web log: statuses, percentiles, sessions and a text chart
const lines = Array.from({ length: 120 }, (_, i) => {
  const time = new Date(Date.UTC(2025, 5, 1, 12, 0, i * 37)).toISOString();
  const path = ['/', '/login', '/api/items', '/api/items/7', '/logo.png'][(i * 7) % 5];
  const status = i % 29 === 0 ? 500 : i % 11 === 0 ? 404 : 200;
  return `${time} 10.0.0.${(i * 13) % 6 + 1} ${i % 4 ? 'GET' : 'POST'} ${path} ${status} ${((i * 7919) % 400) + 5}ms${i % 31 === 0 ? ' "slow, retried"' : ''}`;
});
lines.splice(50, 0, 'corrupted line');
const pattern = /^(?<time>\S+) (?<ip>[\d.]+) (?<method>[A-Z]+) (?<path>\S+) (?<status>\d{3}) (?<ms>\d+)ms(?: "(?<note>[^"]*)")?$/;
const entries = [], failed = [];
for (const [index, line] of lines.entries()) {
  const groups = pattern.exec(line)?.groups;
  if (groups) entries.push({ ...groups, time: new Date(groups.time), status: +groups.status, ms: +groups.ms });
  else failed.push(`${index + 1}: ${line}`);
}
console.log(entries.length, failed, entries[0]);
const tally = (items, key) => items.reduce((map, item) => map.set(item[key], (map.get(item[key]) ?? 0) + 1), new Map());
console.log(tally(entries, 'status'), tally(entries, 'method'));
const percentile = (values, p) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(values.length * p) - 1)];
const paths = Map.groupBy(entries, (e) => e.path);
const report = [...paths].map(([path, list]) => { const times = list.map((e) => e.ms); return { path, count: list.length, mean: +(times.reduce((a, b) => a + b) / times.length).toFixed(1), p50: percentile(times, 0.5), p95: percentile(times, 0.95), errors: list.filter((e) => e.status >= 400).length }; }).sort((a, b) => b.mean - a.mean);
console.table(report);
const minutes = Object.groupBy(entries, (e) => e.time.toISOString().slice(11, 15) + '0');
for (const [slot, list] of Object.entries(minutes)) console.log(slot, '▪'.repeat(list.length), list.length);
const sessions = new Map();
for (const { ip, time, path } of entries) {
  const list = sessions.get(ip) ?? sessions.set(ip, []).get(ip);
  const last = list.at(-1);
  if (last && time - last.end < 5 * 60_000) { last.end = time; last.paths.push(path); } else list.push({ start: time, end: time, paths: [path] });
}
for (const [ip, list] of [...sessions].sort()) console.log(ip.padEnd(9), list.length, list.map((s) => `${s.paths.length}p/${(s.end - s.start) / 1000}s`).join(' '));
console.log(entries.filter((e) => e.note).map(({ time, note }) => `${time.toLocaleTimeString('en-US')} ${note}`));
console.log([...new Set(entries.map((e) => e.ip))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })), entries.findLast((e) => e.status === 500).time.toUTCString());
