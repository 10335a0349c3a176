// expect:
// xmrig, stratum+tcp://
const api = 'https://api.nanopool.org/v1/', kinds = { stratum: 'a layer of rock', mining: 'data mining.' };
console.log(api, kinds, process.argv[2] === 'xmrig');
