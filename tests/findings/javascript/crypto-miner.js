// expect: crypto-miner:2 crypto-miner:3 crypto-miner:4 crypto-miner:5
const miner = new CoinHive.Anonymous('key');
const pool = 'stratum+ssl://pool.example:443';
const options = { host: 'pool.supportxmr.com', port: 3333 };
const request = { method: 'mining.authorize', algorithm: 'cryptonight' };
