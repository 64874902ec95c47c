// A small JSON reader: what a worker sends is checked already, so it refuses what it does not know and nothing more.
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Json {
  enum Kind { Null, Boolean, Number, Text, List, Object } kind = Null;
  bool boolean = false;
  double number = 0;
  std::string text;
  std::vector<Json> list;
  std::map<std::string, Json> object;

  // The field of an object, or nothing.
  const Json* find(const std::string& name) const {
    const auto found = object.find(name);
    return found == object.end() || found->second.kind == Null ? nullptr : &found->second;
  }
  double numberOr(const std::string& name, double otherwise) const {
    const Json* field = find(name);
    if (field == nullptr) return otherwise;
    if (field->kind != Number) throw std::runtime_error(name + " must be a number");
    return field->number;
  }
};

class JsonReader {
 public:
  explicit JsonReader(const std::string& source) : source_(source) {}

  Json read() {
    Json value = readValue(0);
    skipSpace();
    if (at_ != source_.size()) fail();
    return value;
  }

 private:
  const std::string& source_;
  size_t at_ = 0;

  [[noreturn]] void fail() const { throw std::runtime_error("the input is not JSON at character " + std::to_string(at_)); }
  char peek() const { return at_ < source_.size() ? source_[at_] : '\0'; }
  void skipSpace() { at_ = std::min(source_.find_first_not_of(" \t\r\n", at_), source_.size()); }
  void expect(const char* word) {
    for (; *word != '\0'; ++word, ++at_)
      if (peek() != *word) fail();
  }

  Json readValue(int depth) {
    if (depth > 100) fail();
    skipSpace();
    Json value;
    switch (peek()) {
      case '{': readMembers(value, depth); break;
      case '[': readItems(value, depth); break;
      case '"': value.kind = Json::Text; value.text = readText(); break;
      case 't': expect("true"); value.kind = Json::Boolean; value.boolean = true; break;
      case 'f': expect("false"); value.kind = Json::Boolean; break;
      case 'n': expect("null"); break;
      default: readNumber(value);
    }
    return value;
  }

  void readNumber(Json& value) {
    const char* from = source_.c_str() + at_;
    char* end = nullptr;
    value.kind = Json::Number;
    value.number = std::strtod(from, &end);
    if (end == from) fail();
    at_ += end - from;
  }

  void readItems(Json& value, int depth) {
    value.kind = Json::List;
    expect("[");
    skipSpace();
    if (peek() == ']') { ++at_; return; }
    for (;;) {
      value.list.push_back(readValue(depth + 1));
      skipSpace();
      if (peek() == ']') { ++at_; return; }
      expect(",");
    }
  }

  void readMembers(Json& value, int depth) {
    value.kind = Json::Object;
    expect("{");
    skipSpace();
    if (peek() == '}') { ++at_; return; }
    for (;;) {
      skipSpace();
      const std::string name = readText();
      skipSpace();
      expect(":");
      value.object[name] = readValue(depth + 1);
      skipSpace();
      if (peek() == '}') { ++at_; return; }
      expect(",");
    }
  }

  // Escapes of other characters than these are kept as they are written: no name or text that is used here has any.
  std::string readText() {
    std::string text;
    expect("\"");
    for (; peek() != '"'; ++at_) {
      if (at_ >= source_.size()) fail();
      if (peek() == '\\') {
        ++at_;
        const char code = peek();
        text += code == 'n' ? '\n' : code == 't' ? '\t' : code == 'r' ? '\r' : code;
      } else {
        text += peek();
      }
    }
    ++at_;
    return text;
  }
};

inline std::string jsonText(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    if (static_cast<unsigned char>(letter) >= 0x20) quoted += letter;
  }
  return quoted + '"';
}

// All 17 digits: read again, it is the same number.
inline std::string jsonNumber(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}
