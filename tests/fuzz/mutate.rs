//! Changes of an input by chance, repeatable by their seed.

/// A generator of random numbers: splitmix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below a limit, 0 if the limit is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Texts at which parsers go wrong: ends of numbers, what shells and terminals read differently, halves of characters.
const TOKENS: [&[u8]; 40] = [
    b"\0",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b"'",
    b"\"",
    b"\\",
    b"$(id)",
    b"`id`",
    b";",
    b"=",
    b":",
    b"/",
    b"//",
    b"..",
    b"-",
    b"--",
    b"+",
    b"!",
    b"{",
    b"}",
    b"[",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\xae",
    b"\x1b[31m",
    b"0",
    b"-1",
    b"255",
    b"256",
    b"65536",
    b"2147483648",
    b"4294967296",
    b"18446744073709551616",
    b"0x",
    b"1e999",
    b"/33",
    b"::",
    b"999999999999999999999999999999",
];

/// Changes an input in one to four places. `others` is the corpus, of which parts are taken.
pub(crate) fn mutate(random: &mut Random, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        change(random, &mut bytes, others);
    }
    bytes.truncate(70_000);
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let place = random.below(bytes.len() + 1);
    let end = place + random.below((bytes.len() - place).min(40) + 1);
    match random.below(9) {
        0 if place < bytes.len() => bytes[place] ^= 1 << random.below(8),
        1 if place < bytes.len() => bytes[place] = random.next() as u8,
        2 => drop(bytes.drain(place..end)),
        3 => {
            let part = bytes[place..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, part);
        }
        4 => {
            let other = random.one_of(others);
            let from = random.below(other.len() + 1);
            bytes.splice(place..end, other[from..].iter().copied().take(200));
        }
        5 => bytes.truncate(place),
        6 => {
            let most = if random.below(50) == 0 { 5000 } else { 20 };
            let times = random.below(most);
            let part = bytes[place..end].repeat(times);
            bytes.splice(place..place, part);
        }
        7 => drop(bytes.splice(place..end, random.one_of(&TOKENS).iter().copied())),
        _ => drop(bytes.splice(place..place, random.one_of(&TOKENS).iter().copied())),
    }
}
