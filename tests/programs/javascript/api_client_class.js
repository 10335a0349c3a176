// an API client with a cache, retries and typed errors
// api = true
class ApiError extends Error {
  static { this.prototype.name = 'ApiError'; }
  constructor(status, path) { super(`${status} on ${path}`); this.status = status; }
  get retryable() { return this.status >= 500 || this.status === 404; }
}

class Client {
  #cache = new Map();
  #requests = 0;
  constructor(base, { retries = 2, ttl = 1000 } = {}) { Object.assign(this, { base, retries, ttl }); }
  get requests() { return this.#requests; }
  async #once(path, init) {
    this.#requests++;
    const response = await fetch(`${this.base}${path}`, init);
    if (!response.ok) throw new ApiError(response.status, path);
    return await response.json();
  }
  async get(path) {
    const hit = this.#cache.get(path);
    if (hit && Date.now() - hit.at < this.ttl) return hit.promise;
    const promise = this.#retry(path);
    this.#cache.set(path, { at: Date.now(), promise });
    promise.catch(() => this.#cache.delete(path));
    return promise;
  }
  async #retry(path) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(path);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.retryable || attempt >= this.retries) throw error;
        console.log(`retry ${attempt + 1}: ${error.message}`);
        await new Promise((r) => setTimeout(r, 2 ** attempt));
      }
    }
  }
  put(path, body) { return this.#once(path, { method: 'PUT', body: JSON.stringify(body) }); }
}

(async () => {
  const client = new Client(process.env.API);
  const [a, b] = await Promise.all([client.get('/users'), client.get('/users')]);
  console.log(a === b, client.requests, a.map((u) => u.email));
  await client.get('/nope').catch((error) => console.log(`${error}`, error.status, error instanceof ApiError, Object.keys(error)));
  console.log(client.requests, await client.put('/orders/A-1', { paid: true }));
  const teams = Object.groupBy(a, (u) => u.team);
  for (const [team, members] of Object.entries(teams)) console.log(`${team}: ${members.map((m) => m.name.split(' ')[0]).join(', ')}`);
  const results = await Promise.allSettled(['/weather', '/zzz', '/users/1'].map((p) => client.get(p)));
  console.log(results.map((r) => (r.status === 'fulfilled' ? Object.keys(r.value).length : r.reason.message)));
})();
