// fetch against an API: lists, pages, posts, errors, parallel requests
// api = true
const base = process.env.API;

async function request(path, options = {}) {
  const response = await fetch(base + path, { headers: { Accept: 'application/json', ...options.headers }, ...options });
  if (!response.ok) {
    const error = new Error(`HTTP ${response.status} for ${path}`);
    error.status = response.status;
    error.body = await response.json().catch(() => null);
    throw error;
  }
  return response.json();
}

async function* pages(path) {
  while (path) {
    const page = await request(path);
    yield* page.items;
    path = page.next;
  }
}

async function main() {
  const [users, weather] = await Promise.all([request('/users?active=true'), request('/weather')]);
  console.table(users.map(({ id, name, team }) => ({ id, name, team })));
  console.log(weather.city, weather.hours.map((h) => h.c), Math.min(...weather.hours.map((h) => h.c)));
  const totals = {};
  for await (const order of pages('/orders/page1')) {
    const key = users.find((u) => u.id === order.user).name;
    totals[key] = (totals[key] ?? 0) + Number(order.total);
  }
  console.log(totals);
  const created = await request('/users', { method: 'POST', body: JSON.stringify({ name: 'Zoë', tags: ['a', 1, null] }), headers: { 'Content-Type': 'application/json' } });
  console.log(created);
  try {
    await request('/missing/thing');
  } catch (error) {
    console.log(error.message, error.status, error.body);
  }
  const response = await fetch(new URL('/users/1', base));
  console.log(response.status, response.statusText, response.ok, response.headers.get('content-type'), response.redirected, response.type, response.bodyUsed);
  const text = await response.text();
  console.log(text.length, response.bodyUsed, JSON.parse(text).address);
  await response.json().catch((error) => console.log(error.name, error.message));
  const bytes = await (await fetch(base + '/weather')).arrayBuffer();
  console.log(bytes.byteLength > 100, new TextDecoder().decode(bytes).slice(0, 15));
  const headers = new Headers({ 'X-One': '1', accept: 'a' });
  headers.append('Accept', 'b');
  console.log([...headers], headers.get('ACCEPT'), new Request(base + '/x', { method: 'put', body: 'b' }).method);
  await fetch('not a url').catch((error) => console.log(error.name, error.message));
  await fetch(base + '/users', { signal: AbortSignal.abort() }).catch((error) => console.log(error.name));
  console.log(await new Response('{"a":1}', { status: 201, headers: { 'x-y': 'z' } }).json(), Response.json({ ok: 1 }).headers.get('content-type'));
  const form = new FormData();
  form.append('k', 'v');
  console.log([...form], await new Blob(['ab', 'cd']).text());
}
main();
