// NET01 fetches from the host without a grant
// expect = ["denied", "absent"]
// --- twin
if (new URL("http://a/b").host !== "a") throw new Error("URL");
console.log("ok");
// --- attack
for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "127.1", "allowed@127.0.0.1"]) {
  try { console.log("got", (await fetch(`http://${host}:{{port}}/`)).status); } catch (error) { console.log("denied", String(error)); }
}
for (const url of ["file://{{outside}}/secret.txt", "gopher://127.0.0.1:{{port}}/x", "data:text/plain,x", "//127.0.0.1:{{port}}/", "http://127.0.0.1:{{port}}\\@x/"]) {
  try { console.log(url.startsWith("data:") ? "virtual" : "got", await (await fetch(url)).text()); } catch (error) { console.log("denied", String(error)); }
}
attempt("net", () => require("net").connect({{port}}));
await new Promise((end) => {
  const request = require("http").get("http://127.0.0.1:{{port}}/", (response) => end(console.log("got", response.statusCode)));
  request.on("error", (error) => end(console.log("denied", String(error))));
});
attempt("WebSocket", () => new WebSocket("ws://127.0.0.1:{{port}}/"));
attempt("XMLHttpRequest", () => new XMLHttpRequest());
