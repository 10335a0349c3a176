// URL and URLSearchParams
const url = new URL("../c?x=1&y=a%20b#frag", "https://user:pw@EXAMPLE.org:8443/a/b/");
console.log(url.href, url.host, url.port, url.pathname, url.search, url.hash, url.origin, url.username);
url.searchParams.append("z", "é&");
url.pathname = "/new path";
console.log(url.toString(), [...url.searchParams].length, url.searchParams.get("y"));
console.log(new URLSearchParams({ a: "1 2", b: "ü" }).toString(), new URLSearchParams("?a=1&a=2").getAll("a"));
for (const bad of ["nothing", "http://", "http://a b/"]) { try { new URL(bad); console.log("?"); } catch (error) { console.log(error.name); } }
console.log(new URL("http://2130706433/").hostname, new URL("HTTP://a.B/%7Ex/../y").href, URL.canParse("x:y"));
