"""What the engine says in English, in French: its own templates as keys, so that a changed sentence is not missed "
"silently."""

from __future__ import annotations

from lab.expect import outcome, paths
from lab.expect.invariants import Name
from lab.experiment import invariants, measure, measure_streams, timeline
from lab.report.french_faults import FAULT_PHRASES
from lab.topology.stage import Stage

PHRASES = {
    # lab.expect.outcome: why a probe fares as it does
    outcome.REASON_DENIED: "les règles l’interdisent : {reason}",
    outcome.REASON_STAYS: "rien ne change sur son chemin",
    outcome.REASON_MOVES: "sa passerelle passe au nœud {node}",
    outcome.REASON_AFTER: "commencé après la relève, à travers le nœud {node}",
    outcome.REASON_TWO_STATES: "commencé après la relève, à travers le nœud {node} ; quand l’ancien maître reprend, chaque "
    "nœud peut avoir son propre état, traduit en sa propre adresse, et ce qu’il en advient n’est pas jugé",
    outcome.REASON_NO_GATEWAY: "sa passerelle n’a plus de maître",
    outcome.REASON_NO_LINK: "le nœud {node} est toujours sa passerelle, mais n’a plus de lien sur {network}",
    f"{outcome.REASON_NO_LINK}{outcome.REASON_BACKUP_IDLE}": "le nœud {node} est toujours sa passerelle, mais n’a "
    "plus de lien sur {network} ; le nœud {other} est en bonne santé, mais aucune adresse virtuelle sur ce réseau "
    "ne lui fait prendre la relève",
    outcome.REASON_TRANSLATED: "l’adresse est traduite en celle du nœud {node}, qui ne répond plus : les réponses se "
    "perdent",
    outcome.REASON_STRANDED: "l’adresse est traduite en celle du nœud {node} ; il reçoit les réponses, mais n’a plus "
    "de lien sur {network}",
    outcome.REASON_ASYMMETRIC: "l’adresse reste traduite en celle du nœud {node} ; il reçoit les réponses et les "
    "transmet",
    outcome.REASON_NO_STATE: "le nœud {node} ne connaît pas l’état de cette connexion : les états ne sont pas "
    "synchronisés",
    outcome.REASON_NODE_GATEWAY: "sa passerelle est l’adresse propre du nœud {node}, que personne ne reprend",
    outcome.REASON_THINNED: "des trames se perdent sur {network}, et rien ne bouge : un secours attend trois annonces",
    outcome.REASON_SLOWED: "les trames sont retenues à la carte du nœud {node} sur {network}, et rien ne bouge",
    outcome.REASON_FLAPS: "le nœud {node} n’a pas de lien sur {network} pendant {seconds} s",
    # lab.expect.paths: what decides about a packet
    "{action} by rule '{descr}' on {on}": "{action} par la règle « {descr} » sur {on}",
    "{why}; rule '{descr}' on {on} comes at stage {stage}": "{why} ; la règle « {descr} » sur {on} n’arrive qu’à "
    "l’étape {stage}",
    "pass": "autorisé",
    "block": "bloqué",
    paths.Why.ANTI_LOCKOUT.value: "règle anti-verrouillage",
    paths.Why.DEFAULT_DENY.value: "refus par défaut",
    paths.Why.BLOCK_PRIVATE.value: "réseaux privés bloqués sur cette interface",
    paths.Why.SAME_SEGMENT.value: "même segment, aucun pare-feu entre les deux",
    paths.Why.NO_VIP_YET.value: "la passerelle est une adresse virtuelle qui n’existe pas encore à cette étape",
    paths.Why.NO_ROUTE.value: "pas de route",
    # lab.experiment.measure: what was not as expected
    measure.NOT_MOVED: "n’a pas changé de maître ; attendu : le nœud {node} après {wait}",
    measure.MOVED: "est passé au nœud {node}, alors qu’il devait rester",
    measure.WRONG_HEIR: "est passé au nœud {node} au lieu du nœud {expected}",
    measure.LATE: "hors de la loi de {miss} s, plus que les {allowance} s explicables",
    measure.SPLIT: "deux maîtres pendant {seconds} s",
    measure.STRANDED: "jamais de réponse",
    measure.LEAKED: "{count} réponses, alors que les règles l’interdisent",
    measure.WENT_ON: "elle devait être perdue, mais elle a continué",
    measure.NO_RETURN: "elle n’est pas revenue après la remise en état",
    measure.ENDLESS: "plus aucune réponse ; attendu : {expected}",
    measure.ODD_SHARE: "{seen} % de {count} ont eu une réponse, au lieu de {share} % à {doubt} près",
    measure.NOT_SLOWER: "les réponses ont mis {slower} s de plus, moins que prévu",
    # lab.experiment.measure_streams
    measure_streams.NEVER: "elle n’a jamais rien transmis",
    measure_streams.WENT_ON: "elle devait être perdue, mais elle a continué après {seconds} s",
    measure_streams.DIED: "attendu : {expected}, mais plus aucun octet n’est arrivé",
    measure_streams.TOO_LONG: "elle s’est arrêtée pendant {stall} s, soit {miss} s de plus que ses retransmissions "
    "n’expliquent",
    measure_streams.DIED_BACK: "elle s’est rompue au retour",
    # lab.experiment.timeline
    timeline.UNDONE: "{fault} : remise en état",
    timeline.SILENT: "{id} : plus de réponse à partir d’ici",
    timeline.ANSWERS: "{id} : répond de nouveau après {seconds} s",
    timeline.STALLS: "{id} : plus d’octet à partir d’ici",
    timeline.FLOWS: "{id} : reprend après {seconds} s",
    timeline.BROKEN: "{name} : {subject} : {seen}",
    # lab.experiment.failover and diagnosis: the steps of a run
    "wait for one master": "attendre un seul maître",
    "start the probes": "lancer les sondes",
    "fault: {fault}": "panne : {fault}",
    "wait for the hand-over": "attendre la relève",
    "watch that nothing moves": "vérifier que rien ne bouge",
    "wait for the probes": "attendre les sondes",
    "start new probes": "lancer de nouvelles sondes",
    "wait for the streams": "attendre les flux",
    "look for the streams' states": "chercher les états des flux",
    "undo the fault": "remettre en état",
    "wait for the master's return": "attendre le retour du maître",
    "let the master go on": "relâcher le maître",
    "listen": "écouter",
    "look before": "vérifier avant",
    "let it settle": "laisser se stabiliser",
    "look during": "vérifier pendant",
    "look after": "vérifier après",
    # lab.experiment.invariants, and their names
    Name.ONE_MASTER.value: "un seul maître par VHID",
    Name.ALL_ON_ONE.value: "tous les VHID sur un nœud",
    Name.PREEMPTED.value: "le maître a repris son rôle",
    Name.CLIENTS.value: "les clients sont rétablis",
    Name.PASSWORD.value: "les mots de passe CARP concordent",
    Name.VHID.value: "les VHID concordent",
    Name.SKEW.value: "les biais sont dans l’ordre",
    Name.MASK.value: "les masques des adresses virtuelles concordent",
    Name.PFSYNC_PEER.value: "les pairs pfsync se désignent l’un l’autre",
    Name.PFSYNC_RULE.value: "pfsync est autorisé à entrer",
    Name.XMLRPC_RULE.value: "XML-RPC est autorisé à entrer",
    Name.SYNC_PASSWORD.value: "le mot de passe de synchronisation est bon",
    Name.CONFIG.value: "les configurations sont synchronisées",
    Name.STATES.value: "les états sont synchronisés",
    invariants.NOBODY: "personne",
    invariants.VHID: "VHID {vhid} sur {network}",
    invariants.STRANGER: "VHID {vhid} sur {network} de {nodes}",
    invariants.NO_STRANGERS: "seulement les VHID de la topologie",
    invariants.ALL: "tous les VHID",
    invariants.BOTH: "les deux nœuds",
    invariants.SAME: "identiques",
    invariants.DIFFERENT: "différentes : {sections}",
    invariants.RIGHT: "celui du labo",
    invariants.WRONG: "un autre",
    invariants.MISSING: "aucun",
    invariants.RULE_THERE: "une règle l’autorise",
    invariants.RULE_MISSING: "aucune règle ne l’autorise",
    invariants.HELD: "connu du nœud {node}",
    invariants.NOT_HELD: "inconnu du nœud {node}",
    invariants.CONNECTION: "une connexion de {source} à {target}",
    invariants.ANSWERED: "chaque sonde a sa réponse",
    "every allowed probe": "chaque sonde autorisée",
    "the wire": "le réseau",
    "one master": "un maître",
    "one node": "un nœud",
    "{address} on {node}": "{address} sur le nœud {node}",
    "{single1} and {single2}": "{single1} et {single2}",
    **FAULT_PHRASES,
    # causes, and stages' names, which are the lab's own words
    outcome.Cause.SILENCE.value: "maître muet",
    outcome.Cause.DEMOTION.value: "maître rétrogradé",
    outcome.Cause.NEXT_ADVERT.value: "devancé à l’annonce suivante",
    **{stage.value: stage.value for stage in Stage},
}
"""Those with more words of their own are tried first."""
