// Values between a C++ candidate and its tests, which are two programs in two jails: the calls socket is descriptor 0.
// A frame is a 4-byte length and a body; a request is the number of a function and its arguments, a reply its result.
// Numbers cross at full width, so that a candidate with `#define int long long` is understood. Nothing is trusted in
// the tests' program: every length is held against what is left of the frame.
#pragma once
#include <bits/stdc++.h>
#include <unistd.h>
#if __has_include(<boost/any.hpp>)
#include <boost/any.hpp>
#endif

namespace wire {

using Bytes = std::string;
constexpr uint32_t max_frame = 8u << 20;

[[noreturn]] inline void fail(const char *why) {
    std::fprintf(stderr, "%s\n", why);
    std::_Exit(70);
}

inline bool is_serving = false;

inline void transfer(bool is_write, char *at, size_t count) {
    while (count) {
        ssize_t done = is_write ? ::write(0, at, count) : ::read(0, at, count);
        if (done <= 0 && is_serving) std::_Exit(0);  // the tests are over
        if (done <= 0) fail("the other side ended");
        at += done, count -= done;
    }
}

inline void send(const Bytes &body) {
    uint32_t length = body.size();
    Bytes frame(reinterpret_cast<const char *>(&length), 4);
    frame += body;
    transfer(true, &frame[0], frame.size());
}

inline Bytes receive() {
    uint32_t length;
    transfer(false, reinterpret_cast<char *>(&length), 4);
    if (length > max_frame) fail("a frame that is too large");
    Bytes body(length, '\0');
    transfer(false, &body[0], length);
    return body;
}

struct Reader {
    Bytes body;
    size_t at = 0;
    void take(void *to, size_t count) {
        if (body.size() - at < count) fail("a value that is cut short");
        std::memcpy(to, body.data() + at, count);
        at += count;
    }
    size_t length() {  // of anything whose elements take a byte or more
        uint32_t count;
        take(&count, 4);
        if (count > body.size() - at) fail("a value that is cut short");
        return count;
    }
    template <class T> T get();
};

template <class T, class = void> struct Codec;  // no definition: not plain data

template <class T> void put(Bytes &out, const T &value) { Codec<T>::put(out, value); }
template <class T> T Reader::get() { return Codec<T>::get(*this); }

template <class T, class Wide> struct Number {
    static void put(Bytes &out, const T &value) {
        Wide wide = static_cast<Wide>(value);
        out.append(reinterpret_cast<const char *>(&wide), sizeof wide);
    }
    static T get(Reader &in) {
        Wide wide;
        in.take(&wide, sizeof wide);
        return static_cast<T>(wide);
    }
};
template <class T> struct Codec<T, std::enable_if_t<std::is_integral_v<T>>> : Number<T, long long> {};
template <class T> struct Codec<T, std::enable_if_t<std::is_floating_point_v<T>>> : Number<T, long double> {};

inline void put_length(Bytes &out, size_t count) {
    uint32_t length = count;
    out.append(reinterpret_cast<const char *>(&length), 4);
}

template <class C, class Element> struct Sequence {
    static void put(Bytes &out, const C &values) {
        put_length(out, values.size());
        for (const auto &value : values) wire::put<Element>(out, value);
    }
    static C get(Reader &in) {
        C values;
        for (size_t left = in.length(); left; --left) values.insert(values.end(), in.get<Element>());
        return values;
    }
};
template <> struct Codec<std::string> {
    static void put(Bytes &out, const std::string &text) { put_length(out, text.size()), out += text; }
    static std::string get(Reader &in) {
        std::string text(in.length(), '\0');
        in.take(&text[0], text.size());
        return text;
    }
};
template <class T> struct Codec<std::vector<T>> : Sequence<std::vector<T>, T> {};
template <class T> struct Codec<std::list<T>> : Sequence<std::list<T>, T> {};
template <class T> struct Codec<std::deque<T>> : Sequence<std::deque<T>, T> {};
template <class T> struct Codec<std::set<T>> : Sequence<std::set<T>, T> {};
template <class T> struct Codec<std::multiset<T>> : Sequence<std::multiset<T>, T> {};
template <class T> struct Codec<std::unordered_set<T>> : Sequence<std::unordered_set<T>, T> {};
template <class K, class V> struct Codec<std::map<K, V>> : Sequence<std::map<K, V>, std::pair<K, V>> {};
template <class K, class V>
struct Codec<std::unordered_map<K, V>> : Sequence<std::unordered_map<K, V>, std::pair<K, V>> {};

template <class A, class B> struct Codec<std::pair<A, B>> {
    static void put(Bytes &out, const std::pair<A, B> &value) { wire::put(out, value.first), wire::put(out, value.second); }
    static std::pair<A, B> get(Reader &in) {
        A first = in.get<A>();
        return {std::move(first), in.get<B>()};
    }
};
template <class... T> struct Codec<std::tuple<T...>> {
    static void put(Bytes &out, const std::tuple<T...> &value) {
        std::apply([&](const T &...each) { (wire::put(out, each), ...); }, value);
    }
    static std::tuple<T...> get(Reader &in) { return std::tuple<T...>{in.get<T>()...}; }
};
template <class T> struct Codec<std::optional<T>> {
    static void put(Bytes &out, const std::optional<T> &value) {
        wire::put(out, value.has_value());
        if (value) wire::put(out, *value);
    }
    static std::optional<T> get(Reader &in) { return in.get<bool>() ? std::optional<T>(in.get<T>()) : std::nullopt; }
};

// boost::any and std::any, of the types that tests put into them
using std::any_cast;  // so that boost's is found by its argument
template <class Any> struct AnyCodec {
    template <class T> static bool put_one(Bytes &out, const Any &value, char tag) {
        if (value.type() != typeid(T)) return false;
        out += tag;
        wire::put(out, any_cast<T>(value));
        return true;
    }
    static void put(Bytes &out, const Any &value) {
        if (value.type() == typeid(void)) out += 'n';
        else if (value.type() == typeid(const char *)) out += 't', wire::put<std::string>(out, any_cast<const char *>(value));
        else if (!(put_one<int>(out, value, 'i') || put_one<double>(out, value, 'd') || put_one<std::string>(out, value, 's') ||
                   put_one<char>(out, value, 'c') || put_one<bool>(out, value, 'b') || put_one<long long>(out, value, 'l') ||
                   put_one<float>(out, value, 'f') || put_one<long>(out, value, 'L')))
            fail("a value of any type that is not plain data");
    }
    static Any get(Reader &in) {
        char tag;
        in.take(&tag, 1);
        switch (tag) {
            case 'n': return Any();
            case 't': return Any(static_cast<const char *>(strdup(in.get<std::string>().c_str())));
            case 'i': return Any(in.get<int>());
            case 'd': return Any(in.get<double>());
            case 's': return Any(in.get<std::string>());
            case 'c': return Any(in.get<char>());
            case 'b': return Any(in.get<bool>());
            case 'l': return Any(in.get<long long>());
            case 'f': return Any(in.get<float>());
            case 'L': return Any(in.get<long>());
        }
        fail("a value of any type that is not plain data");
    }
};
template <> struct Codec<std::any> : AnyCodec<std::any> {};
#if __has_include(<boost/any.hpp>)
template <> struct Codec<boost::any> : AnyCodec<boost::any> {};
#endif

inline unsigned long num_calls = 0;

// In the tests' program: ask the candidate.
template <class... A> Reader call(uint32_t number, const A &...arguments) {
    Bytes request(reinterpret_cast<const char *>(&number), 4);
    (put(request, arguments), ...);
    ++num_calls;
    send(request);
    return Reader{receive()};
}

// In the candidate's program: answer until the tests' program is gone.
inline int serve(std::initializer_list<void (*)(Reader &, Bytes &)> functions) {
    is_serving = true;
    char ready = '+';
    transfer(true, &ready, 1);
    for (;;) {
        Reader in{receive()};
        uint32_t number;
        in.take(&number, 4);
        Bytes reply;
        functions.begin()[number](in, reply);
        send(reply);
    }
}

}  // namespace wire
