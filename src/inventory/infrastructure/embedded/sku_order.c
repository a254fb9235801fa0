/*
 * A new SKU goes down to where its priority belongs; the subtree that stood there is split by its
 * name and becomes its two sides.
 */
#include "inventory/infrastructure/embedded/sku_order.h"

static bool comes_before(const struct sku *a, const struct sku *b)
{
    return text_compare(sku_name(a), sku_name(b)) < 0;
}

void sku_order_add(struct sku **root, struct sku *sku)
{
    struct sku **at = root;
    while (*at != NULL && (*at)->priority >= sku->priority)
        at = comes_before(sku, *at) ? &(*at)->smaller : &(*at)->larger;
    struct sku *rest = *at;
    struct sku **smaller = &sku->smaller;
    struct sku **larger = &sku->larger;
    *at = sku;
    while (rest != NULL) {
        if (comes_before(rest, sku)) {
            *smaller = rest;
            smaller = &rest->larger;
            rest = rest->larger;
        } else {
            *larger = rest;
            larger = &rest->smaller;
            rest = rest->smaller;
        }
    }
    *smaller = NULL;
    *larger = NULL;
}

struct sku *sku_order_after(struct sku *root, struct text name)
{
    struct sku *found = NULL;
    while (root != NULL) {
        if (text_compare(name, sku_name(root)) < 0) {
            found = root;
            root = root->smaller;
        } else {
            root = root->larger;
        }
    }
    return found;
}
