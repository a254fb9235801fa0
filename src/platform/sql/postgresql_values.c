/*
 * Values between us and libpq, and what its words mean: SQLSTATEs (PostgreSQL documentation,
 * appendix A) and durability settings.
 *
 * Results come in the binary format: integers big-endian, texts and bytea as they are, numeric in
 * digits of base 10,000 (utils/adt/numeric.c). What does not fit an int64_t, or is of a type not
 * listed in sql_session.h, is a failure of the session.
 */
#include "platform/base/check.h"
#include "platform/sql/postgresql_connection.h"

#include <stdio.h>
#include <string.h>

/* Types by their object identifiers (catalog/pg_type.dat). */
enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_OID = 26,
    TYPE_JSON = 114,
    TYPE_UNKNOWN = 705,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_NUMERIC = 1700,
    TYPE_XID8 = 5069,
};

void postgresql_bind(struct postgresql_parameters *parameters, const struct sql_value *values,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parameters->formats[i] = 1;
        parameters->lengths[i] = (int)values[i].text.size;
        parameters->values[i] = values[i].text.data == NULL ? "" : values[i].text.data;
        if (values[i].kind == SQL_NULL) {
            parameters->values[i] = NULL;
        } else if (values[i].kind == SQL_INTEGER) {
            snprintf(parameters->digits[i], sizeof parameters->digits[i], "%lld",
                     (long long)values[i].integer);
            parameters->formats[i] = 0;
            parameters->values[i] = parameters->digits[i];
        }
    }
}

/* --- results --- */

static uint64_t read_big_endian(const char *data, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (uint8_t)data[i];
    return value;
}

/* ndigits, weight, sign, dscale, then the digits, each 16 bits. False: no whole int64_t. */
static bool read_numeric(const char *data, size_t size, int64_t *value)
{
    const int base = 10000;
    if (size < 8)
        return false;
    int digits = (int16_t)read_big_endian(data, 2);
    int weight = (int16_t)read_big_endian(data + 2, 2);
    bool negative = read_big_endian(data + 4, 2) == 0x4000;
    bool finite = negative || read_big_endian(data + 4, 2) == 0;
    *value = 0;
    if (!finite || digits < 0 || size < 8 + 2 * (size_t)digits || digits > weight + 1)
        return digits == 0 && finite;
    for (int i = 0; i <= weight; i++) {
        int64_t digit = i < digits ? (int64_t)read_big_endian(data + 8 + 2 * i, 2) : 0;
        if (__builtin_mul_overflow(*value, base, value) ||
            __builtin_sub_overflow(*value, digit, value)) /* downwards: reaches INT64_MIN, too */
            return false;
    }
    return negative || !__builtin_sub_overflow(INT64_C(0), *value, value);
}

/* False: a type or number that we do not take. */
static bool read_value(Oid type, const char *data, size_t size, struct sql_value *value)
{
    int64_t number;
    switch (type) {
    case TYPE_BOOL:
        *value = sql_integer(data[0] != 0);
        return true;
    case TYPE_INT2:
        *value = sql_integer((int16_t)read_big_endian(data, 2));
        return size == 2;
    case TYPE_INT4:
        *value = sql_integer((int32_t)read_big_endian(data, 4));
        return size == 4;
    case TYPE_OID:
        *value = sql_integer((int64_t)read_big_endian(data, 4));
        return size == 4;
    case TYPE_INT8:
    case TYPE_XID8:
        *value = sql_integer((int64_t)read_big_endian(data, 8));
        return size == 8;
    case TYPE_NUMERIC:
        if (!read_numeric(data, size, &number))
            return false;
        *value = sql_integer(number);
        return true;
    case TYPE_BYTEA:
        *value = sql_blob(text_make(data, size));
        return true;
    case TYPE_NAME:
    case TYPE_TEXT:
    case TYPE_JSON:
    case TYPE_UNKNOWN:
    case TYPE_BPCHAR:
    case TYPE_VARCHAR:
        *value = sql_text(text_make(data, size));
        return true;
    }
    return false;
}

static bool give_row(struct sql_session *session, const PGresult *result, int row,
                     const struct sql_statement_run *run)
{
    struct sql_value values[sql_columns_max];
    int count = PQnfields(result);
    for (int i = 0; i < count; i++) {
        values[i] = sql_null();
        if (PQgetisnull(result, row, i) == 0 &&
            !read_value(PQftype(result, i), PQgetvalue(result, row, i),
                        (size_t)PQgetlength(result, row, i), &values[i]))
            return sql_session_fail(
                session, SQL_FAILURE_REFUSED,
                error_make(ERROR_INTERNAL,
                           "column %d has type %u or a number we do not take: %.140s", i + 1,
                           PQftype(result, i), run->statement->text));
    }
    return run->row(run->row_context, values, (size_t)count);
}

bool postgresql_give_rows(struct sql_session *session, const PGresult *result,
                          const struct sql_statement_run *run)
{
    if (PQnfields(result) > sql_columns_max)
        return sql_session_fail(session, SQL_FAILURE_REFUSED,
                                error_make(ERROR_INTERNAL, "more than %d columns: %.150s",
                                           sql_columns_max, run->statement->text));
    for (int row = 0; row < PQntuples(result); row++) {
        if (!give_row(session, result, row, run))
            return false;
    }
    return true;
}

/* --- what its words mean --- */

enum sql_failure postgresql_failure_of(const char *sqlstate, bool writes)
{
    static const struct {
        const char *start;
        enum sql_failure failure;
    } rows[] = {
        {"23505", SQL_FAILURE_CONFLICT},  /* unique_violation */
        {"40003", SQL_FAILURE_GONE},      /* statement_completion_unknown */
        {"40", SQL_FAILURE_RETRY},        /* serialization_failure, deadlock_detected */
        {"55P03", SQL_FAILURE_RETRY},     /* lock_not_available */
        {"0A000", SQL_FAILURE_RETRY},     /* cached plan must not change result type */
        {"26000", SQL_FAILURE_RETRY},     /* the prepared statement is not there any more */
        {"53100", SQL_FAILURE_DISK_FULL}, /* disk_full */
        {"53", SQL_FAILURE_GONE},         /* out of memory, too many connections */
        {"57014", SQL_FAILURE_DEADLINE},  /* query_canceled, by statement_timeout */
        {"57", SQL_FAILURE_GONE},         /* shutdown, crash, cannot connect now */
        {"58", SQL_FAILURE_GONE},         /* system and I/O errors */
        {"08", SQL_FAILURE_GONE},         /* connection exceptions */
        {"25P03", SQL_FAILURE_GONE},      /* idle_in_transaction_session_timeout */
        {"XX001", SQL_FAILURE_DAMAGED},   /* data_corrupted */
        {"XX002", SQL_FAILURE_DAMAGED},   /* index_corrupted */
    };
    if (sqlstate == NULL) /* libpq's own: the connection */
        return SQL_FAILURE_GONE;
    if (strcmp(sqlstate, "25006") == 0 && writes) /* read_only: it has become a replica */
        return SQL_FAILURE_GONE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(sqlstate, rows[i].start, strlen(rows[i].start)) == 0)
            return rows[i].failure;
    }
    return SQL_FAILURE_REFUSED;
}

void postgresql_judge_durability(const PGresult *result, char *out, size_t size)
{
    static const char *const consequences[][2] = {
        {"fsync", "a crash of the machine loses or damages what was committed"},
        {"full_page_writes", "a crash of the machine can damage pages"},
        {"synchronous_commit", "a crash loses commits that were answered"},
    };
    out[0] = '\0';
    for (int row = 0; row < PQntuples(result); row++) {
        const char *name = PQgetvalue(result, row, 0);
        if (strcmp(PQgetvalue(result, row, 1), "off") != 0)
            continue;
        for (size_t i = 0; i < sizeof consequences / sizeof consequences[0]; i++) {
            size_t used = strlen(out);
            if (strcmp(name, consequences[i][0]) == 0)
                snprintf(out + used, size - used, "%s%s is off (%s)", used == 0 ? "" : ", ", name,
                         consequences[i][1]);
        }
    }
}
