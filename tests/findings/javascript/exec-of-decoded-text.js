// expect: exec-of-decoded-text:2 exec-of-decoded-text:3
eval(atob('Y29uc29sZS5sb2coMSk='));
new Function(Buffer.from('Y29uc29sZS5sb2coMSk=', 'base64').toString())();
