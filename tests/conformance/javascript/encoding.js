// TextEncoder, TextDecoder, base64, structuredClone, crypto
const bytes = new TextEncoder().encode("é€😀");
console.log(bytes.length, new TextDecoder().decode(bytes), new TextDecoder("latin1").decode(new Uint8Array([0xe9])), new TextDecoder("utf-16le").decode(new Uint8Array([0x41, 0])));
try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])); } catch (error) { console.log(error.name); }
console.log(btoa("hello"), atob("aGVsbG8="), new TextDecoder().decode(new Uint8Array([0xff, 0x41])));
const original = { date: new Date(5), map: new Map([[1, { a: [1n] }]]), set: new Set(["x"]), bytes: new Uint8Array([1, 2]), error: new RangeError("r") };
original.self = original;
const copy = structuredClone(original);
console.log(copy !== original, copy.self === copy, copy.date.getTime(), copy.map.get(1).a[0], copy.set.has("x"), copy.bytes[1], copy.error.name);
try { structuredClone(() => 1); } catch (error) { console.log(error.name); }
const random = crypto.getRandomValues(new Uint8Array(16));
console.log(random.length, random.some((byte) => byte !== 0), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()));
