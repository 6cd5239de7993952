//! `ip -s`: what a link has received and sent, in columns as wide as their numbers (ip/ipaddress.c, `print_stats64`).

use std::fmt::Write;

use crate::era::Era;
use crate::ip::fields::Fields;
use crate::ip::options::Options;
use crate::json::Json;
use crate::kernel::{Kernel, Link, Statistics};

/// A column: the file under `statistics/`, the heading, the key in JSON.
type Column = (&'static str, &'static str, &'static str);

const RX: [Column; 6] = [
    ("rx_bytes", "bytes", "bytes"),
    ("rx_packets", "packets", "packets"),
    ("rx_errors", "errors", "errors"),
    ("rx_dropped", "dropped", "dropped"),
    ("rx_missed_errors", "missed", ""),
    ("multicast", "mcast", "multicast"),
];
const RX_ERRORS: [Column; 5] = [
    ("rx_length_errors", "length", "length_errors"),
    ("rx_crc_errors", "crc", "crc_errors"),
    ("rx_frame_errors", "frame", "frame_errors"),
    ("rx_fifo_errors", "fifo", "fifo_errors"),
    ("rx_over_errors", "overrun", ""),
];
const TX: [Column; 6] = [
    ("tx_bytes", "bytes", "bytes"),
    ("tx_packets", "packets", "packets"),
    ("tx_errors", "errors", "errors"),
    ("tx_dropped", "dropped", "dropped"),
    ("tx_carrier_errors", "carrier", "carrier_errors"),
    ("collisions", "collsns", "collisions"),
];
const TX_ERRORS: [Column; 5] = [
    ("tx_aborted_errors", "aborted", "aborted_errors"),
    ("tx_fifo_errors", "fifo", "fifo_errors"),
    ("tx_window_errors", "window", "window_errors"),
    ("tx_heartbeat_errors", "heartbt", "heartbeat_errors"),
    ("../carrier_changes", "transns", "carrier_changes"),
];

/// The least widths: of the row's name, and of the longest heading of each column.
const WIDTHS: [usize; 6] = [10, 7, 6, 7, 7, 7];
/// Compressed packets, a column that is empty nearly everywhere.
const COMPRESSED: usize = 10;

/// Puts the statistics of a link, if they can be read; if they are asked for twice the kinds of errors too.
pub(super) fn put(fields: &mut Fields, kernel: &Kernel, link: &Link, options: Options) {
    let (detail, newline) = (options.statistics, options.newline());
    let Ok(statistics) = kernel.link_statistics(&link.name) else { return };
    if options.era == Era::Of2006 {
        return fields.text(of_2006(&statistics, detail > 1, newline));
    }
    let read = |columns: &[Column]| -> Vec<u64> { columns.iter().map(|(file, ..)| statistics.count(file)).collect() };
    let [rx, tx] = [read(&RX), read(&TX)];
    let [rx_errors, tx_errors] = if detail > 1 { [read(&RX_ERRORS), read(&TX_ERRORS)] } else { [vec![], vec![]] };

    let mut widths = WIDTHS;
    let mut widen = |from: usize, numbers: &[u64]| {
        for (width, number) in widths[from..].iter_mut().zip(numbers) {
            *width = (*width).max(number.to_string().len());
        }
    };
    widen(0, &rx);
    widen(0, &tx);
    widen(1, &rx_errors);
    widen(1, &tx_errors);

    for (name, columns, numbers, error_columns, errors) in
        [("RX", &RX, &rx, &RX_ERRORS, &rx_errors), ("TX", &TX, &tx, &TX_ERRORS, &tx_errors)]
    {
        fields.text(if name == "TX" { newline } else { "" });
        fields.text(table(name, columns, numbers, &widths, newline));
        if !errors.is_empty() {
            fields.text(newline);
            fields.text(error_table(name, error_columns, errors, &widths, newline));
        }
    }
    let over_errors = statistics.count("rx_over_errors");
    let missed = statistics.count("rx_missed_errors");
    fields.json("stats64", json(&rx, &tx, &rx_errors, &tx_errors, over_errors, missed));
}

/// A row of ss060323: the heading, the files, and the file of a further column that is shown if it is not 0.
type Row = (&'static str, &'static [&'static str], Option<&'static str>);

const ROWS_OF_2006: [[Row; 2]; 2] = [
    [
        (
            "    RX: bytes  packets  errors  dropped overrun mcast   ",
            &["rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "rx_over_errors", "multicast"],
            Some("rx_compressed"),
        ),
        (
            "    RX errors: length  crc     frame   fifo    missed",
            &["rx_length_errors", "rx_crc_errors", "rx_frame_errors", "rx_fifo_errors", "rx_missed_errors"],
            None,
        ),
    ],
    [
        (
            "    TX: bytes  packets  errors  dropped carrier collsns ",
            &["tx_bytes", "tx_packets", "tx_errors", "tx_dropped", "tx_carrier_errors", "collisions"],
            Some("tx_compressed"),
        ),
        (
            "    TX errors: aborted fifo    window  heartbeat",
            &["tx_aborted_errors", "tx_fifo_errors", "tx_window_errors", "tx_heartbeat_errors"],
            None,
        ),
    ],
];

/// As ss060323 printed them: in columns that do not grow, and of large numbers the low 32 bits.
fn of_2006(statistics: &Statistics, with_errors: bool, newline: &str) -> String {
    let read = |file: &str| statistics.count(file) as u32;
    let mut lines = Vec::new();
    for (heading, files, further) in ROWS_OF_2006.iter().flat_map(|rows| &rows[..if with_errors { 2 } else { 1 }]) {
        let further = further.map(read).filter(|number| *number != 0);
        lines.push([*heading, if further.is_some() { "compressed" } else { "" }].concat());
        let numbers: Vec<u32> = files.iter().map(|file| read(file)).collect();
        let mut line = String::new();
        for (place, number) in numbers.into_iter().chain(further).enumerate() {
            // writing to a String does not fail
            let _ = match (files[0].ends_with("_bytes"), place) {
                (true, 0) => write!(line, "    {number:<10}"),
                (true, 1) => write!(line, " {number:<8}"),
                (false, 0) => write!(line, "               {number:<7} "),
                _ => write!(line, " {number:<7}"),
            };
        }
        lines.push(line);
    }
    lines.join(newline)
}

fn table(name: &str, columns: &[Column], numbers: &[u64], widths: &[usize], newline: &str) -> String {
    let mut text = format!("    {name}:");
    for (place, (_, heading, _)) in columns.iter().enumerate() {
        let width = if place == 0 { widths[0] - 4 } else { widths[place] };
        // writing to a String does not fail
        let _ = write!(text, " {heading:>width$}");
    }
    let _ = write!(text, " {:COMPRESSED$}{newline}    ", "");
    for (number, width) in numbers.iter().zip(widths) {
        let _ = write!(text, "{number:>width$} ");
    }
    text
}

fn error_table(name: &str, columns: &[Column], numbers: &[u64], widths: &[usize], newline: &str) -> String {
    let mut text = format!("    {name} errors:{:1$}", "", widths[0] - 10);
    for ((_, heading, _), width) in columns.iter().zip(&widths[1..]) {
        let _ = write!(text, " {heading:>width$}");
    }
    let _ = write!(text, "{newline}{:1$}", "", widths[0] + 5);
    for (number, width) in numbers.iter().zip(&widths[1..]) {
        let _ = write!(text, "{number:>width$} ");
    }
    text
}

fn json(rx: &[u64], tx: &[u64], rx_errors: &[u64], tx_errors: &[u64], over_errors: u64, missed: u64) -> Json {
    let fields = |columns: &[Column], numbers: &[u64]| -> Vec<(&'static str, Json)> {
        let named = columns.iter().zip(numbers).filter(|((.., key), _)| !key.is_empty());
        named.map(|((.., key), number)| (*key, Json::Number(*number))).collect()
    };
    let mut received = fields(&RX[..4], rx);
    received.push(("over_errors", over_errors.into()));
    received.extend(fields(&RX[4..], &rx[4..]));
    received.extend(fields(&RX_ERRORS, rx_errors));
    if !rx_errors.is_empty() {
        received.push(("missed_errors", missed.into()));
    }
    let mut sent = fields(&TX, tx);
    sent.extend(fields(&TX_ERRORS, tx_errors));
    Json::Object(vec![("rx", Json::Object(received)), ("tx", Json::Object(sent))])
}
