// blobs, files and forms, and the bodies of requests and responses
console.log(new Blob(['x', new Uint8Array([121])], { type: 'Text/Plain' }), await new Blob(['abc']).slice(1).text(), new File(['q'], 'f.txt', { type: 'a/b', lastModified: 5 }));
const form = new FormData();
form.append('a', '1');
form.append('a', '2');
form.append('file', new Blob(['content\r\n--x']), 'naïve "name".txt');
form.set('b', 'lines\nof text');
const back = await new Response(form).formData();
console.log([...back.keys()], back.getAll('a'), back.get('file').name, await back.get('file').text(), back.get('file').type, back.get('b'));
console.log(form.get('file') instanceof File, form.has('none'), form.get('none'));
const response = new Response('body text', { headers: { 'X-One': '1' } });
console.log(response.bodyUsed, await response.clone().text(), await response.text(), response.bodyUsed, response.headers);
await response.text().catch((error) => console.log(error.name, error.message));
console.log(await new Response(new URLSearchParams({ q: '1 2' })).text(), await Response.json({ a: 1 }).json(), new Response(null).body);
console.log(new Response('x').body, await new Response(new Uint8Array([104, 105])).blob());
const request = new Request('http://localhost/', { method: 'post', body: 'q' });
console.log(request.method, await request.clone().text(), await request.text());
console.log(await new Response(ReadableStream.from([new Uint8Array([111]), new Uint8Array([107])])).text());
console.log(await new Response('a=1&b=x+y', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData().then((fields) => [...fields]));
try { new Request('http://localhost/', { body: 'q' }); } catch (error) { console.log(error.name); }
console.log(structuredClone(new Blob(['copy'])).size);
