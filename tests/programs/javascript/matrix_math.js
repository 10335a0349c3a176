// matrices: multiplication, determinant, inverse, solving, rotation, spiral
class Matrix {
  constructor(rows) { this.rows = rows; }
  static identity(n) { return new Matrix(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => +(i === j)))); }
  get shape() { return [this.rows.length, this.rows[0].length]; }
  get T() { return new Matrix(this.rows[0].map((_, c) => this.rows.map((r) => r[c]))); }
  times(other) {
    if (typeof other === 'number') return new Matrix(this.rows.map((r) => r.map((v) => v * other)));
    if (this.shape[1] !== other.shape[0]) throw new RangeError(`cannot multiply ${this.shape.join('x')} by ${other.shape.join('x')}`);
    return new Matrix(this.rows.map((r) => other.T.rows.map((c) => r.reduce((s, v, i) => s + v * c[i], 0))));
  }
  get det() {
    const a = this.rows.map((r) => [...r]);
    let det = 1;
    for (let i = 0; i < a.length; i++) {
      const p = a.findIndex((r, k) => k >= i && Math.abs(r[i]) > 1e-12);
      if (p < 0) return 0;
      if (p !== i) { [a[i], a[p]] = [a[p], a[i]]; det = -det; }
      det *= a[i][i];
      for (let k = i + 1; k < a.length; k++) { const f = a[k][i] / a[i][i]; a[k] = a[k].map((v, j) => v - f * a[i][j]); }
    }
    return det;
  }
  inverse() {
    const n = this.rows.length, a = this.rows.map((r, i) => [...r, ...Matrix.identity(n).rows[i]]);
    for (let i = 0; i < n; i++) {
      let p = i;
      for (let k = i; k < n; k++) if (Math.abs(a[k][i]) > Math.abs(a[p][i])) p = k;
      if (!a[p][i]) throw new Error('singular');
      [a[i], a[p]] = [a[p], a[i]];
      a[i] = a[i].map((v) => v / a[i][i], a[i][i]);
      for (let k = 0; k < n; k++) if (k !== i) { const f = a[k][i]; a[k] = a[k].map((v, j) => v - f * a[i][j]); }
    }
    return new Matrix(a.map((r) => r.slice(n)));
  }
  toString() { const cells = this.rows.map((r) => r.map((v) => String(+v.toFixed(4)))), width = Math.max(...cells.flat().map((c) => c.length)); return cells.map((r) => `[ ${r.map((c) => c.padStart(width)).join('  ')} ]`).join('\n'); }
}
const a = new Matrix([[2, 1, -1], [-3, -1, 2], [-2, 1, 2]]);
console.log(`${a}\n--\n${a.T}\n--\n${a.times(a)}\n--\n${a.times(0.5)}`);
console.log(a.det, a.shape, String(a.times(new Matrix([[2], [3], [-1]]))));
console.log(a);
console.log(`${new Matrix([[4, 7], [2, 6]]).inverse()}`);
for (const f of [() => a.times(new Matrix([[1]])), () => new Matrix([[0, 0], [0, 0]]).inverse()]) try { f(); } catch (e) { console.log(`${e}`); }
const rotate = (m) => m[0].map((_, c) => m.map((r) => r[c]).reverse());
const spiral = (m) => (m.length ? [...m[0], ...spiral(m.length > 1 ? m[0].map((_, c) => m.slice(1).map((r) => r[c])).reverse() : [])] : []);
const grid = [[1, 2, 3], [4, 5, 6], [7, 8, 9]];
console.log(rotate(grid), spiral(grid).join(' '));
const fib = (n) => { let m = [[1n, 1n], [1n, 0n]], r = [[1n, 0n], [0n, 1n]]; const mul = (p, q) => p.map((row) => q[0].map((_, j) => row.reduce((s, v, k) => s + v * q[k][j], 0n))); while (n) { if (n & 1) r = mul(r, m); m = mul(m, m); n >>= 1; } return r[0][1]; };
console.log(fib(10), fib(300));
const pascal = Array.from({ length: 7 }, (_, n) => Array.from({ length: n + 1 }, (_, k) => { let c = 1; for (let i = 0; i < k; i++) c = (c * (n - i)) / (i + 1); return c; }));
console.log(pascal.map((r) => ' '.repeat((7 - r.length) * 2) + r.map((v) => String(v).padStart(4)).join('')).join('\n'));
