// the network is refused in the platform's own words
try {
  await fetch("https://example.org/");
} catch (error) {
  console.log(error instanceof TypeError, /fetch failed/.test(error.message));
}
console.log(new Headers({ A: "1" }).get("a"), new Request("http://a/", { method: "POST", body: "x" }).method, await new Response("text", { status: 201 }).text());
const stopped = new AbortController();
stopped.abort();
console.log(stopped.signal.aborted, AbortSignal.abort().reason.name);
