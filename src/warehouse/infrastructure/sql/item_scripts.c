/* Items: one table. */
#include "warehouse/infrastructure/sql/step.h"

static struct item item_of(const struct sql_rows *rows, size_t row)
{
    return (struct item){
        .sku = sql_rows_text(rows, row, 1),
        .name = sql_rows_text(rows, row, 2),
        .weight_grams = sql_rows_integer(rows, row, 3),
        .length_mm = sql_rows_integer(rows, row, 4),
        .width_mm = sql_rows_integer(rows, row, 5),
        .height_mm = sql_rows_integer(rows, row, 6),
        .hazard_class = sql_rows_text(rows, row, 7),
        .hs_code = sql_rows_text(rows, row, 8),
        .origin_country = sql_rows_text(rows, row, 9),
    };
}

enum sql_verdict put_item_script(struct step *step)
{
    static const struct sql_statement put = {
        .text = "INSERT INTO warehouse_items (sku, name, weight_grams, length_mm, width_mm,"
                " height_mm, hazard_class, hs_code, origin_country)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                " ON CONFLICT (sku) DO UPDATE SET name = excluded.name,"
                " weight_grams = excluded.weight_grams, length_mm = excluded.length_mm,"
                " width_mm = excluded.width_mm, height_mm = excluded.height_mm,"
                " hazard_class = excluded.hazard_class, hs_code = excluded.hs_code,"
                " origin_country = excluded.origin_country"};
    const struct item *item = &((struct item_command *)step->command)->item;
    sql_enqueue(step->session, &put,
                BOUND(sql_text(item->sku), sql_text(item->name), sql_integer(item->weight_grams),
                      sql_integer(item->length_mm), sql_integer(item->width_mm),
                      sql_integer(item->height_mm), sql_text(item->hazard_class),
                      sql_text(item->hs_code), sql_text(item->origin_country)),
                1);
    return SQL_COMMIT;
}

enum sql_verdict get_item_script(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT position, sku, name, weight_grams, length_mm, width_mm, height_mm,"
                " hazard_class, hs_code, origin_country FROM warehouse_items WHERE sku = $1"};
    struct item_command *command = (struct item_command *)step->command;
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(command->item.sku)), &rows))
        return SQL_FAIL;
    if (rows.count == 0)
        return step_refuse(step, WAREHOUSE_SKU_NOT_FOUND, command->item.sku);
    command->item = item_of(&rows, 0);
    return SQL_COMMIT;
}

enum sql_verdict list_items_script(struct step *step)
{
    static const struct sql_statement list = {
        .text = "SELECT position, sku, name, weight_grams, length_mm, width_mm, height_mm,"
                " hazard_class, hs_code, origin_country FROM warehouse_items"
                " WHERE position > $1 ORDER BY position LIMIT $2"};
    struct list_items_command *command = (struct list_items_command *)step->command;
    struct sql_rows rows;
    if (!sql_query(step->session, &list,
                   BOUND(sql_integer((int64_t)command->page.after), page_limit(&command->page)),
                   &rows))
        return SQL_FAIL;
    command->item_count = page_rows(&command->page, &rows);
    command->items = step_allocate(step, command->item_count + 1, sizeof *command->items);
    if (command->items == NULL)
        return SQL_FAIL;
    for (size_t i = 0; i < command->item_count; i++)
        command->items[i] = item_of(&rows, i);
    return SQL_COMMIT;
}
