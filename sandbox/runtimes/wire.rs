//! Values between a Rust candidate and its tests, which are two programs in two jails: the calls socket is descriptor 0.
//! A frame is a 4-byte length and a body; a request is the number of a function and its arguments, a reply its result.
//! Borrowed text is leaked where it is read: these programs are short.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::hash::Hash;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::unix::io::FromRawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const MAX_FRAME: usize = 8 << 20;

fn socket() -> ManuallyDrop<File> {
    ManuallyDrop::new(unsafe { File::from_raw_fd(0) })
}

static SERVING: AtomicBool = AtomicBool::new(false);
static NUM_CALLS: AtomicUsize = AtomicUsize::new(0);

/// How often the tests asked.
pub fn num_calls() -> usize {
    NUM_CALLS.load(Ordering::Relaxed)
}

fn ended() -> ! {
    if SERVING.load(Ordering::Relaxed) {
        std::process::exit(0) // the tests are over
    }
    fail("the other side ended")
}

fn fail(why: &str) -> ! {
    eprintln!("{}", why);
    std::process::exit(70)
}

fn send(body: &[u8]) {
    let mut frame = (body.len() as u32).to_le_bytes().to_vec();
    frame.extend_from_slice(body);
    if socket().write_all(&frame).is_err() {
        ended()
    }
}

fn receive() -> Reader {
    let mut head = [0; 4];
    if socket().read_exact(&mut head).is_err() {
        ended()
    }
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME {
        fail("a frame that is too large")
    }
    let mut body = vec![0; length];
    if socket().read_exact(&mut body).is_err() {
        ended()
    }
    Reader { body, at: 0 }
}

pub struct Reader {
    body: Vec<u8>,
    at: usize,
}

impl Reader {
    fn take(&mut self, count: usize) -> &[u8] {
        if count > self.body.len() - self.at {
            fail("a value that is cut short")
        }
        self.at += count;
        &self.body[self.at - count..self.at]
    }

    fn length(&mut self) -> usize {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4));
        let count = u32::from_le_bytes(bytes) as usize;
        if count > MAX_FRAME {
            fail("a value that is too large")
        }
        count
    }

    pub fn get<T: Plain>(&mut self) -> T {
        T::get(self)
    }
}

/// What can cross: a type without an implementation is not plain data, and does not compile.
pub trait Plain {
    fn put(&self, out: &mut Vec<u8>);
    fn get(from: &mut Reader) -> Self;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Plain for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes())
            }
            fn get(from: &mut Reader) -> Self {
                const WIDTH: usize = std::mem::size_of::<$number>();
                let mut bytes = [0; WIDTH];
                bytes.copy_from_slice(from.take(WIDTH));
                <$number>::from_le_bytes(bytes)
            }
        }
    )*};
}
numbers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 }

impl Plain for () {
    fn put(&self, _: &mut Vec<u8>) {}
    fn get(_: &mut Reader) -> Self {}
}

impl Plain for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8)
    }
    fn get(from: &mut Reader) -> Self {
        from.take(1)[0] != 0
    }
}

impl Plain for char {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u32).put(out)
    }
    fn get(from: &mut Reader) -> Self {
        std::char::from_u32(from.get()).unwrap_or_else(|| fail("a value that is no character"))
    }
}

impl Plain for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        out.extend_from_slice(self.as_bytes())
    }
    fn get(from: &mut Reader) -> Self {
        let count = from.length();
        String::from_utf8(from.take(count).to_vec()).unwrap_or_else(|_| fail("a text that is not UTF-8"))
    }
}

impl<'a> Plain for &'a str {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out)
    }
    fn get(from: &mut Reader) -> Self {
        Box::leak(String::get(from).into_boxed_str())
    }
}

impl<T: Plain> Plain for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out)
        }
    }
    fn get(from: &mut Reader) -> Self {
        if from.get() { Some(from.get()) } else { None }
    }
}

impl<T: Plain, E: Plain> Plain for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_ok().put(out);
        match self {
            Ok(value) => value.put(out),
            Err(error) => error.put(out),
        }
    }
    fn get(from: &mut Reader) -> Self {
        if from.get() { Ok(from.get()) } else { Err(from.get()) }
    }
}

macro_rules! sequences {
    ($($collection:ty, $element:ty, [$($bounds:tt)*];)*) => {$(
        impl<$($bounds)*> Plain for $collection {
            fn put(&self, out: &mut Vec<u8>) {
                (self.len() as u32).put(out);
                for value in self.iter() {
                    value.put(out)
                }
            }
            fn get(from: &mut Reader) -> Self {
                let count = from.length();
                (0..count).map(|_| from.get::<$element>()).collect()
            }
        }
    )*};
}
sequences! {
    Vec<T>, T, [T: Plain];
    VecDeque<T>, T, [T: Plain];
    HashSet<T>, T, [T: Plain + Eq + Hash];
    BTreeSet<T>, T, [T: Plain + Ord];
}

macro_rules! maps {
    ($($map:ident: $($bound:ident)*;)*) => {$(
        impl<K: Plain $(+ $bound)*, V: Plain> Plain for $map<K, V> {
            fn put(&self, out: &mut Vec<u8>) {
                (self.len() as u32).put(out);
                for (key, value) in self {
                    key.put(out);
                    value.put(out)
                }
            }
            fn get(from: &mut Reader) -> Self {
                let count = from.length();
                (0..count).map(|_| (from.get::<K>(), from.get::<V>())).collect()
            }
        }
    )*};
}
maps! { HashMap: Eq Hash; BTreeMap: Ord; }

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Plain),*> Plain for ($($name,)*) {
            #[allow(non_snake_case)]
            fn put(&self, out: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.put(out);)*
            }
            fn get(from: &mut Reader) -> Self {
                ($(from.get::<$name>(),)*)
            }
        }
    )*};
}
tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) }

/// A value of any type, of those that tests put into a box.
impl Plain for Box<dyn Any> {
    fn put(&self, out: &mut Vec<u8>) {
        macro_rules! one_of {
            ($($tag:literal $kind:ty),*) => {
                $(if let Some(value) = self.downcast_ref::<$kind>() { out.push($tag); value.put(out) } else)*
                { fail("a value of any type that is not plain data") }
            };
        }
        one_of!(
            b'i' i32, b'l' i64, b'd' f64, b'f' f32, b's' String, b't' &'static str, b'b' bool, b'c' char, b'u' usize,
            b'v' Vec<i32>, b'a' Vec<Box<dyn Any>>
        )
    }
    fn get(from: &mut Reader) -> Self {
        match from.take(1)[0] {
            b'i' => Box::new(from.get::<i32>()),
            b'l' => Box::new(from.get::<i64>()),
            b'd' => Box::new(from.get::<f64>()),
            b'f' => Box::new(from.get::<f32>()),
            b's' => Box::new(from.get::<String>()),
            b't' => Box::new(from.get::<&'static str>()),
            b'b' => Box::new(from.get::<bool>()),
            b'c' => Box::new(from.get::<char>()),
            b'u' => Box::new(from.get::<usize>()),
            b'v' => Box::new(from.get::<Vec<i32>>()),
            b'a' => Box::new(from.get::<Vec<Box<dyn Any>>>()),
            _ => fail("a value of any type that is not plain data"),
        }
    }
}

/// Ask the candidate, in the tests' program.
pub fn call(number: u32, pack: impl FnOnce(&mut Vec<u8>)) -> Reader {
    let mut request = number.to_le_bytes().to_vec();
    pack(&mut request);
    NUM_CALLS.fetch_add(1, Ordering::Relaxed);
    send(&request);
    receive()
}

/// Answer, in the candidate's program, until the tests' program is gone.
pub fn serve(functions: &[fn(&mut Reader, &mut Vec<u8>)]) -> ! {
    SERVING.store(true, Ordering::Relaxed);
    let _ = socket().write_all(b"+");
    loop {
        let mut request = receive();
        let number: u32 = request.get();
        let mut reply = Vec::new();
        functions[number as usize](&mut request, &mut reply);
        send(&reply);
    }
}
