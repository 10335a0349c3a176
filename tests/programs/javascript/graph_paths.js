// graphs: BFS, DFS, Dijkstra with a heap, topological order, union-find
class Heap {
  #items = [];
  constructor(compare) { this.compare = compare; }
  get size() { return this.#items.length; }
  push(value) {
    this.#items.push(value);
    for (let i = this.#items.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (this.compare(this.#items[i], this.#items[parent]) >= 0) break;
      [this.#items[i], this.#items[parent]] = [this.#items[parent], this.#items[i]];
      i = parent;
    }
  }
  pop() {
    const top = this.#items[0], last = this.#items.pop();
    if (this.#items.length) {
      this.#items[0] = last;
      for (let i = 0; ;) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2]) if (child < this.#items.length && this.compare(this.#items[child], this.#items[least]) < 0) least = child;
        if (least === i) break;
        [this.#items[i], this.#items[least]] = [this.#items[least], this.#items[i]];
        i = least;
      }
    }
    return top;
  }
}

const roads = [['A', 'B', 4], ['A', 'C', 2], ['B', 'C', 1], ['B', 'D', 5], ['C', 'D', 8], ['C', 'E', 10], ['D', 'E', 2], ['F', 'G', 1]];
const graph = new Map();
for (const [a, b, cost] of roads) for (const [x, y] of [[a, b], [b, a]]) graph.set(x, [...(graph.get(x) ?? []), { to: y, cost }]);

function dijkstra(start) {
  const distance = new Map([...graph.keys()].map((k) => [k, Infinity])), previous = {};
  const queue = new Heap((a, b) => a.cost - b.cost);
  distance.set(start, 0);
  queue.push({ node: start, cost: 0 });
  while (queue.size) {
    const { node, cost } = queue.pop();
    if (cost > distance.get(node)) continue;
    for (const edge of graph.get(node)) {
      const next = cost + edge.cost;
      if (next < distance.get(edge.to)) {
        distance.set(edge.to, next);
        previous[edge.to] = node;
        queue.push({ node: edge.to, cost: next });
      }
    }
  }
  return { distance, previous };
}
const { distance, previous } = dijkstra('A');
console.log(distance, previous);
const path = []; for (let node = 'E'; node; node = previous[node]) path.unshift(node);
console.log(path.join(' -> '));
const bfs = (start) => { const seen = new Set([start]); for (const node of seen) for (const { to } of graph.get(node)) seen.add(to); return [...seen]; };
const dfs = (node, seen = new Set()) => { seen.add(node); for (const { to } of graph.get(node)) if (!seen.has(to)) dfs(to, seen); return seen; };
console.log(bfs('A'), dfs('A'), bfs('F'));
const parent = {}; const find = (x) => (parent[x] === undefined ? x : (parent[x] = find(parent[x])));
const tree = [...roads].sort((a, b) => a[2] - b[2]).filter(([a, b]) => { const [x, y] = [find(a), find(b)]; if (x === y) return false; parent[x] = y; return true; });
console.log(tree, tree.reduce((sum, [, , cost]) => sum + cost, 0));
const order = (tasks) => { const done = [], state = {}; const visit = (t, trail) => { if (state[t] === 'done') return; if (state[t]) throw new Error(`cycle: ${[...trail, t].join(' > ')}`); state[t] = 'open'; (tasks[t] ?? []).forEach((d) => visit(d, [...trail, t])); state[t] = 'done'; done.push(t); }; Object.keys(tasks).forEach((t) => visit(t, [])); return done; };
console.log(order({ deploy: ['test', 'build'], test: ['build'], build: ['install'], install: [] }));
try { order({ a: ['b'], b: ['c'], c: ['a'] }); } catch (error) { console.log(error.message); }
