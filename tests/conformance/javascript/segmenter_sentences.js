// Intl.Segmenter divides texts into sentences
// only = "other versions of ICU have other data"
const texts = ["Hello world. How are you? Fine! Mr. Smith said \"ok.\" 3.5 is it.","U.S.A. is big. e.g. this. No.5 yes","He said (really!). Then left...  And so on… maybe","Line one\nLine two\r\nLine three\u2029x","こんにちは。元気ですか？はい！","\"Quote.\" Next. 'a.' b. C","Wait!! What?! Yes.","a.b.C d.E. F","中.文 x.Y 3.A 4.b","Hi.","  . ","Price: $3.50. Next","end.)\n\nnew para. “Quoted.” After"," «Bonjour.» Oui"];
for (const text of texts) console.log(JSON.stringify([...new Intl.Segmenter('en',{granularity:'sentence'}).segment(text)].map(({ segment }) => segment)));
