#include "umbranet/domain/knowledge_rows.h"

namespace umbranet {

UserKnowledge::Changes PutRows(const KnowledgeRows& rows, UserKnowledge& knowledge) {
  for (const auto& [name, row] : rows.names) {
    knowledge.PutName(name, row);
  }
  for (const auto& [names, row] : rows.merges) {
    knowledge.PutMerge(names, row);
  }
  for (const SaidFact& said : rows.erased) {
    knowledge.PutErased(said.statement_id, said.place.interaction_id);
  }
  for (const KnowledgeRows::SaidAndEdited& statement : rows.statements) {
    knowledge.PutStatement(statement.said, statement.edits);
  }
  knowledge.Settle();
  UserKnowledge::Changes all;
  for (const auto& [name, row] : knowledge.names().names()) {
    all.names.insert(name);
    all.relinked.insert(name);
  }
  for (const auto& [names, row] : knowledge.names().merges()) {
    all.merges.insert(names);
  }
  for (const auto& [root, entity] : knowledge.names().entities()) {
    all.entities.insert(root);
  }
  for (std::size_t index = 0; index < knowledge.statement_count(); ++index) {
    all.statements.insert(index);
  }
  all.erased = rows.erased;
  return all;
}

}  // namespace umbranet
