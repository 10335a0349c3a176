// reads JSON lines from standard input asynchronously and summarizes them
// stdin = "{\"user\":\"ann\",\"ms\":12}\n{\"user\":\"bob\",\"ms\":7.5}\nnot json\n{\"user\":\"ann\",\"ms\":30}\n"
import { createInterface } from 'node:readline';

const stats = new Map();
let bad = 0;
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { user, ms } = JSON.parse(line);
    const entry = stats.get(user) ?? { count: 0, total: 0, max: -Infinity };
    entry.count++;
    entry.total += ms;
    entry.max = Math.max(entry.max, ms);
    stats.set(user, entry);
  } catch (error) {
    bad++;
    console.log('skipped:', line, `(${error.name})`);
  }
}
console.log(stats, bad);
for (const [user, { count, total, max }] of stats) console.log(`${user}: ${count} calls, mean ${(total / count).toFixed(2)} ms, max ${max} ms`);
process.stdout.write(JSON.stringify(Object.fromEntries(stats)) + '\n');
process.exitCode = bad ? 0 : 1;
