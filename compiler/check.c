/* The list of passes, and the model from what they made. */
#include "check.h"

#include <string.h>

/* Passes that need what those before found good stop when there are errors. */
static const struct {
    void (*run)(struct check *check);
    bool needs_clean;
} passes[] = {
    {check_names, false},           {check_decls, false},
    {check_strategies, false},      {check_products, false},
    {check_kernels, false},         {check_computes, false},
    {check_placement, false},       {check_rules, false},
    {check_bind_strategies, false}, {check_layout, true},
};

static uint32_t count_kind(const struct check *check, enum ast_decl_kind kind)
{
    uint32_t count = 0;
    for (const struct check_symbol *s = check->first; s != NULL; s = s->next)
        count += s->decl->kind == kind;
    return count;
}

static const void *model_of(const struct check_symbol *s)
{
    switch (s->decl->kind) {
    case AST_PRODUCT:
        return s->product;
    case AST_STRATEGY:
        return s->strategy;
    case AST_POOL:
        return s->pool;
    case AST_KERNEL:
        return s->kernel;
    default:
        return NULL;
    }
}

/* All declarations of a kind, in source order, imports first. */
static const void **collect(struct check *check, enum ast_decl_kind kind,
                            uint32_t extra, uint32_t *count)
{
    uint32_t n = 0;
    const void **list = ARENA_ARRAY(check->arena, const void *,
                                    count_kind(check, kind) + extra + 1);
    for (const struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == kind)
            list[n++] = model_of(s);
    }
    *count = n;
    return list;
}

static void fill_products(struct check *check)
{
    struct model *model = check->model;
    model->products = (const struct model_product *const *)collect(
        check, AST_PRODUCT, 0, &model->product_count);
    uint32_t index = 0;
    for (struct check_symbol *s = check->first; s != NULL; s = s->next) {
        if (s->decl->kind == AST_PRODUCT)
            s->product->index = index++;
    }
    model->kernels = (const struct model_kernel *const *)collect(
        check, AST_KERNEL, 0, &model->kernel_count);
    /* Both lists are in the order of the files: each file has a slice. */
    uint32_t product = 0, kernel = 0;
    for (uint32_t i = 0; i < check->file_count; i++) {
        struct model_file *file = check->files[i].model;
        file->products = model->products + product;
        file->kernels = model->kernels + kernel;
        while (product < model->product_count &&
               model->products[product]->file == file) {
            product++;
            file->product_count++;
        }
        while (kernel < model->kernel_count &&
               model->kernels[kernel]->file == file) {
            kernel++;
            file->kernel_count++;
        }
    }
}

static void fill_model(struct check *check)
{
    struct model *model = check->model;
    const struct model_file **files =
        ARENA_ARRAY(check->arena, const struct model_file *, check->file_count);
    for (uint32_t i = 0; i < check->file_count; i++)
        files[i] = check->files[i].model;
    model->files = files;
    model->file_count = check->file_count;
    model->root = files[check->file_count - 1];
    model->types = (const struct model_type *const *)check->types;
    model->type_count = check->type_count;
    fill_products(check);
    model->strategies = (const struct model_strategy *const *)collect(
        check, AST_STRATEGY, 0, &model->strategy_count);
    const struct model_pool **pools = (const struct model_pool **)collect(
        check, AST_POOL, check->pool_count, &model->pool_count);
    for (uint32_t i = 0; i < check->pool_count; i++)
        pools[model->pool_count++] = check->pools[i];
    model->pools = pools;
}

bool check_failed(const struct check *check)
{
    return check->failed ||
           diag_error_reports(check->diag) > check->errors_before;
}

static const struct model *run_passes(struct check *check)
{
    atom_map_init(&check->symbols, check->arena);
    atom_map_init(&check->names, check->arena);
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        if (passes[i].needs_clean && check_failed(check))
            return NULL;
        passes[i].run(check);
    }
    if (check_failed(check))
        return NULL;
    fill_model(check);
    check_idents(check);
    return check_failed(check) ? NULL : check->model;
}

const struct model *check_files(struct check *check)
{
    const struct model *model;
    check->scratch = arena_create();
    model = run_passes(check);
    arena_destroy(&check->scratch);
    return model;
}
