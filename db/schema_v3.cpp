// Version 3: which configs give identical bits, and why a study failed.
#include "db/schema_steps.h"

namespace gemwright::db {

const std::string_view kVersion3 = R"sql(
-- Why a study is in state failed; absent in those that failed before version 3.
ALTER TABLE study ADD COLUMN failure TEXT CHECK (failure IS NULL OR (failure <> '' AND state = 'failed'));

-- All that decides the bits of a trial's results: trials of one problem and one class give identical bits. Absent in
-- those of earlier versions.
ALTER TABLE trial ADD COLUMN reduction_class TEXT CHECK (reduction_class <> '');
)sql";

}  // namespace gemwright::db
