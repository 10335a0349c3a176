// streams of the web: reading, writing, transforming, splitting, text and compression
const collect = async (stream) => { const all = []; for await (const chunk of stream) all.push(chunk); return all; };
const source = new ReadableStream({ start(controller) { controller.enqueue('a'); controller.enqueue('b'); controller.close(); } });
const reader = source.getReader();
for (let i = 0; i < 3; i++) { const { value, done } = await reader.read(); console.log(value, done); }
console.log(source);
reader.releaseLock();
const upper = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()); } });
const written = [];
await ReadableStream.from(['x', 'y']).pipeThrough(upper).pipeTo(new WritableStream({ write(chunk) { written.push(chunk); }, close() { written.push('closed'); } }));
console.log(written);
console.log(await collect(new Blob(['hello ', 'wörld']).stream().pipeThrough(new TextDecoderStream())));
const [one, other] = ReadableStream.from([1, 2]).tee();
console.log(await collect(one), await collect(other));
const failing = new ReadableStream({ pull() { throw new Error('pull failed'); } });
await failing.getReader().read().catch((error) => console.log(error.message));
const writer = new WritableStream({ write(chunk) { console.log('wrote', chunk); } }, new CountQueuingStrategy({ highWaterMark: 2 })).getWriter();
console.log(writer.desiredSize);
await writer.write(1);
await writer.close();
for (const format of ['gzip', 'deflate', 'deflate-raw']) {
  const packed = await new Response(new Blob(['zip me '.repeat(50)]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer();
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream(format))).text();
  console.log(format, packed.byteLength < 350, text.length);
}
try { new CompressionStream('none'); } catch (error) { console.log(error.name, error.code); }
await new Response(new Blob(['garbage']).stream().pipeThrough(new DecompressionStream('gzip'))).text().catch((error) => console.log(error.name));
console.log((await collect(ReadableStream.from(['é', '𝄞']).pipeThrough(new TextEncoderStream()))).map((chunk) => [...chunk]));
const bytes = new Blob(['0123456789']).stream().getReader({ mode: 'byob' });
console.log(await bytes.read(new Uint8Array(4)));
console.log(new TextEncoderStream().encoding, new TextDecoderStream('utf-16le').encoding, new WritableStream());
const { ReadableStream: same } = await import('node:stream/web');
console.log(same === ReadableStream);
