//! Forms as bodies: how does `multipart/form-data` become bytes and a form again?
(native, internal) => {
  const { File, FormData, isBlob, blobBytes, joinBytes } = internal;
  const escaped = (text) => text.replace(/\r\n?|\n/g, '%0D%0A').replaceAll('"', '%22');
  const encode = (form, boundary) => {
    const chunks = [];
    for (const [name, value] of form.entries()) {
      const isFile = isBlob(value);
      const file = isFile ? `; filename="${escaped(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}` : '';
      chunks.push(native.encodeUtf8(`--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"${file}\r\n\r\n`));
      chunks.push(isFile ? blobBytes(value) : native.encodeUtf8(value.replace(/\r\n?|\n/g, '\r\n')), native.encodeUtf8('\r\n'));
    }
    return joinBytes([...chunks, native.encodeUtf8(`--${boundary}--\r\n`)]);
  };

  const failed = () => new TypeError('Failed to parse body as FormData.');
  const unescaped = (text) => native.decodeUtf8(Uint8Array.from(text, (character) => character.charCodeAt(0)), false).replaceAll('%22', '"').replace(/%0D%0A/gi, '\r\n');
  // Each character of `text` is one byte.
  const parts = function* (text, boundary) {
    const mark = `--${boundary}`;
    let at = text.indexOf(mark);
    if (at < 0) throw failed();
    for (;;) {
      at += mark.length;
      if (text.startsWith('--', at)) return;
      if (!text.startsWith('\r\n', at)) throw failed();
      const head = text.indexOf('\r\n\r\n', at), end = text.indexOf(`\r\n${mark}`, head + 2);
      if (head < 0 || end < 0) throw failed();
      yield [text.slice(at + 2, head), head + 4, end];
      at = end + 2;
    }
  };
  const decode = (bytes, boundary) => {
    const form = new FormData();
    for (const [head, start, end] of parts(internal.decodeLatin1(bytes), boundary)) {
      const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1];
      const name = /(?:^|;)\s*name="([^"]*)"/i.exec(disposition ?? '')?.[1], file = /;\s*filename="([^"]*)"/i.exec(disposition ?? '')?.[1];
      if (name === undefined) throw failed();
      const content = bytes.slice(start, Math.max(start, end));
      if (file === undefined) form.append(unescaped(name), native.decodeUtf8(content, false));
      else form.append(unescaped(name), new File([content], unescaped(file), { type: /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1] ?? 'text/plain' }));
    }
    return form;
  };
  return { encode, decode };
}
