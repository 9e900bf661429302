// SPDX-License-Identifier: Apache-2.0
// SQLite, with errors as FileError that name the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace steelyard {

class Database;

// A prepared statement. Parameters and columns count from 0.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);

  Statement& bind(int parameter, const std::string& text);
  Statement& bind(int parameter, double number);
  Statement& bind(int parameter, std::int64_t number);

  bool step();  // whether there is a row
  void run();   // to its end, and ready to be bound again

  std::string text(int column) const;
  double number(int column) const;
  std::int64_t integer(int column) const;

 private:
  void check(int code) const;

  const Database& database_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

class Database {
 public:
  enum Mode { read, write };  // write makes the file where there is none

  Database(const std::filesystem::path& path, Mode mode);

  void execute(const char* sql) const;
  std::int64_t pragma(std::string_view name) const;  // its value

  sqlite3* handle() const { return handle_.get(); }
  [[noreturn]] void fail() const;  // what went wrong last

 private:
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
};

// Rolled back unless it is committed. Others wait until then.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  const Database& database_;
  bool committed_ = false;
};

}  // namespace steelyard
