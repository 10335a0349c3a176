// expect:
const text = atob('Y29uc29sZS5sb2coMSk=');
console.log(text, Buffer.from(text).toString('base64'), String.fromCharCode(65, 66, 67, 68));
// eval(atob('Y29uc29sZS5sb2coMSk='))
const model = { eval: (value) => value };
model.eval(atob('AAAA'));
console.log(/atob/.exec(text), eval('1 + 1'));
